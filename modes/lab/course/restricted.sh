#!/bin/sh
# A server that is for one of the host's addresses
# TCP/IP Illustrated, section 18.11, figures 18-21 and 18-22
# Look for: the SYN to the other address is answered by a RST. It is TCP that does
# so: the server is told nothing.
. "$(dirname "$0")/functions"

wire --delay 10ms
# A host with two addresses, as one with two interfaces has them.
start server --addr 10.0.0.1,10.0.0.33 --profile bsd -v -s 10.0.0.1 8888
await server '^listening on 10.0.0.1.8888$'

start refused --addr 10.0.0.2 --profile bsd -v -b1028 10.0.0.33 8888
ended refused 1

start client --addr 10.0.0.3 --profile bsd -v -b1029 10.0.0.1 8888
await client '^connected'
await server '^connection on'
eof client
ended client
ended server

# expect wire: * IP 10.0.0.2.1028 > 10.0.0.33.8888: Flags [S], seq *, *
# expect wire: * IP 10.0.0.33.8888 > 10.0.0.2.1028: Flags [R.], seq 0, ack *, win 0, length 0
# expect refused: active open error: Connection refused
# expect server: connection on 10.0.0.1.8888 from 10.0.0.3.1029
# never server: * from 10.0.0.2.1028
