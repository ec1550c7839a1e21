# an ordinary user
cp "$LT" /tmp/lt-$$ && chmod 755 /tmp/lt-$$
setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all /tmp/lt-$$ -e 'begin { printf("x") }'
status=$?
rm -f /tmp/lt-$$
exit $status
