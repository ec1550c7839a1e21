"$LT" -q --no-warnings -e 'begin { errorf("shown"); warnf("not shown") }'
