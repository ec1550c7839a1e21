yes 'begin { print(1) }' | head -c 2000000 | "$LT" -
