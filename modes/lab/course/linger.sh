#!/bin/sh
# A close that aborts
# TCP/IP Illustrated, section 18.7, figure 18-15
# Look for: the last segment is a RST, with a sequence number and an ACK. Nothing
# answers it, and the server is told that its peer has aborted.
. "$(dirname "$0")/functions"

wire --delay 10ms
start server --addr 10.0.0.1 --profile bsd -v -s 8888
await server '^listening'

# SO_LINGER with a time of 0: the close throws away what has not been sent, and
# sends a RST in place of a FIN.
start client --addr 10.0.0.2 --profile bsd -L0 -v -b1099 10.0.0.1 8888
await client '^connected'
enter client 'hello, world'
await server '^hello, world'
eof client
ended client
ended server 1 # an error

# expect wire: * IP 10.0.0.2.1099 > 10.0.0.1.8888: Flags [S], *
# expect wire: * IP 10.0.0.1.8888 > 10.0.0.2.1099: Flags [S.], *
# expect wire: * IP 10.0.0.2.1099 > 10.0.0.1.8888: Flags [.], ack 1, *
# expect wire: * IP 10.0.0.2.1099 > 10.0.0.1.8888: Flags [P.], seq 1:14, ack 1, * length 13
# expect wire: * IP 10.0.0.2.1099 > 10.0.0.1.8888: Flags [R.], seq 14, ack 1, *
# expect server: hello, world
# expect server: read error: Connection reset by peer
# never wire: *Flags [F*
