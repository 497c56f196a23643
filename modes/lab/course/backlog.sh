#!/bin/sh
# A queue that is full
# TCP/IP Illustrated, section 18.11, figures 18-23 and 18-24
# Look for: the server has not accepted anybody, and two clients are connected
# nevertheless: a backlog of 1 has room for two. The SYN of the third is ignored
# and not refused, so that it is sent again. When there is room, it is answered.
. "$(dirname "$0")/functions"

wire
# The server waits between listen and its first accept until a line is typed.
start server --addr 10.0.0.1 --profile bsd -F -q1 -O line -v -s 5555
await server '^listening'

# Those of the book were on the host sun, whose SYNs were 6, 12, 24 seconds apart.
# These here repeat theirs sooner.
for n in 1 2 3; do
	start "client$n" --addr "10.0.0.1$n" --profile bsd --set tick=20ms \
		--set syn-timeouts=1s,1s,1s,1s,1s,1s -v "-b109$n" 10.0.0.1 5555
	[ $n = 3 ] || await wire "10.0.0.1$n.109$n > 10.0.0.1.5555: Flags \[\.\],"
done
await client1 '^connected'
await client2 '^connected'
await wire '10.0.0.13.1093 > 10.0.0.1.5555: Flags \[S\],' 2
enter server 'accept now'
await server 'from 10.0.0.13.1093$'
for n in 1 2 3; do
	eof "client$n"
	ended "client$n"
done
stop server

# expect wire: * IP 10.0.0.11.1091 > 10.0.0.1.5555: Flags [S], *
# expect wire: * IP 10.0.0.1.5555 > 10.0.0.11.1091: Flags [S.], *
# expect wire: * IP 10.0.0.11.1091 > 10.0.0.1.5555: Flags [.], *
# expect wire: * IP 10.0.0.12.1092 > 10.0.0.1.5555: Flags [S], *
# expect wire: * IP 10.0.0.1.5555 > 10.0.0.12.1092: Flags [S.], *
# expect wire: * IP 10.0.0.12.1092 > 10.0.0.1.5555: Flags [.], *
# expect wire: * IP 10.0.0.13.1093 > 10.0.0.1.5555: Flags [S], *
# expect wire: * IP 10.0.0.13.1093 > 10.0.0.1.5555: Flags [S], *
# expect wire: * IP 10.0.0.1.5555 > 10.0.0.13.1093: Flags [S.], *
# expect wire: * IP 10.0.0.13.1093 > 10.0.0.1.5555: Flags [.], *
# expect server: connection on 10.0.0.1.5555 from 10.0.0.11.1091
# expect server: connection on 10.0.0.1.5555 from 10.0.0.12.1092
# expect server: connection on 10.0.0.1.5555 from 10.0.0.13.1093
# never wire: * Flags [R*
