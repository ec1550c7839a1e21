"$LT" --aot /nonexistent/x -e 'begin { }'
