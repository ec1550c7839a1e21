"$LT" -o /dev/full -e 'begin { printf("x") }'
