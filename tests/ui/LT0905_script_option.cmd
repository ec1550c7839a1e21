"$LT" -e 'begin { print(getopt("limit", 10, "most lines")) }' -- --limt=3
