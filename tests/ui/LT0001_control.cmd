printf 'begin { \001\033[31m }' | "$LT" -
