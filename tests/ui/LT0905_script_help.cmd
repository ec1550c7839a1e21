"$LT" -e 'begin { print(getopt("limit", 10, "most lines")); print(getopt("all")) }' -- --help
