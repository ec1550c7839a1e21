$LT -f csv -e "begin { print(1) }"
