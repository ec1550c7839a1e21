$LT -o /dev/null --logsize 10X -e 'begin { }'
