#!/bin/sh
# Nobody listens at the port
# TCP/IP Illustrated, section 18.7, figure 18-14
# Look for: the SYN is answered by a RST, whose sequence number is 0 and which
# acknowledges the SYN: its ISN and 1. The client knows at once; the one of the
# exercise "timeout" had to wait.
. "$(dirname "$0")/functions"

wire --delay 10ms
# A host answers for all its ports, and serves one of them.
start server --addr 10.0.0.1 --profile bsd -v -s 8888
await server '^listening'
# That its ISN is 1 is not left to the clock here.
start client --addr 10.0.0.2 --profile bsd --set isn-tick=0 -v -b1087 10.0.0.1 20000
ended client 1
stop server

# expect wire: * IP 10.0.0.2.1087 > 10.0.0.1.20000: Flags [S], seq 1, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.1.20000 > 10.0.0.2.1087: Flags [R.], seq 0, ack 2, win 0, length 0
# expect client: active open error: Connection refused
# never server: connection on *
