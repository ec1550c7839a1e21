"$LT" -p 999999999 -e 'interval:s:1 { }'
