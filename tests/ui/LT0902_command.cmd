"$LT" -e 'interval:s:1 { }' -c /nonexistent/command
