# 5000 keys for a map of 4096
"$LT" -q -o /dev/null --strict -e 'tracepoint:syscalls:sys_enter_lseek /pid == cpid && comm == "lt-seeks"/ { @[args.offset] = max(1) }' -c "python3 -c \"import os,ctypes; ctypes.CDLL(None).prctl(15, b'lt-seeks'); f=os.open('/dev/zero', 0); [os.lseek(f, 100000+i, 0) for i in range(5000)]\""
