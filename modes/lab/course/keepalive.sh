#!/bin/sh
# Is the peer still there?
# TCP/IP Illustrated, section 23.3, figure 23-1
# Look for: while nothing is said, a probe asks the other end for an ACK, and gets
# one. When the cable has been cut, ten probes in a row get none, and the
# connection is over. Without -K nobody would ever know.
. "$(dirname "$0")/functions"

wire --delay 10ms
start server --addr 10.0.0.1 --profile bsd --echo -v -s 7
await server '^listening'
# The book's system asks after two hours, and then every 75 seconds.
start client --addr 10.0.0.2 --profile bsd --trace -K -v -b1055 \
	--set tick=20ms --set keep-idle=500ms --set keep-interval=400ms 10.0.0.1 7
await client '^connected'
enter client 'hello, world'
await client '^hello, world'
await client 'timer keep fired'
await client 'IP 10.0.0.1.7 > 10.0.0.2.1055: Flags \[\.\], ack 14,'
enter wire cut
ended client 1
crash server

# expect wire: * IP 10.0.0.2.1055 > 10.0.0.1.7: Flags [.], ack 14, win 4096, length 0
# expect wire: * IP 10.0.0.1.7 > 10.0.0.2.1055: Flags [.], ack 14, win 4096, length 0
# expect wire: cable cut: the wire
# expect wire: * IP 10.0.0.2.1055 > 10.0.0.1.7: dropped: cable cut
# expect client: * timer keep fired
# expect client: * IP 10.0.0.1.7 > 10.0.0.2.1055: Flags [.], ack 14, win 4096, length 0
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * timer keep fired
# expect client: * ESTABLISHED -> CLOSED (keep timer)
# expect client: read error: Connection timed out
