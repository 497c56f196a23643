#!/bin/sh
# The cable is cut, and mended
# TCP/IP Illustrated, section 21.2, figure 21-1, and section 21.11, figure 21-13
# Look for: the segment is sent again, each time after twice the time, until it
# can pass. Nobody is told of it: what was typed arrives, only late. And what was
# typed meanwhile goes with it, because TCP sends bytes and not lines.
. "$(dirname "$0")/functions"

wire --delay 10ms
start server --addr 10.0.0.1 --profile bsd -v -s 9
await server '^listening'
# The book's system repeats after 1.5 seconds, 3, 6, 12 and so on: leave out the
# --set, and see. Here its clock is faster.
start client --addr 10.0.0.2 --profile bsd --trace -v -b1104 --set tick=20ms --set rto-min=250ms --set rto-variance=20ms 10.0.0.1 9
await client '^connected'
enter client 'hello there'
await server '^hello there'
await client '1.9 > 10.0.0.2.1104: Flags \[\.\], ack 13,'

enter wire cut
await wire 'cable cut'
enter client 'line number 2'
await client 'write(14 bytes)'
enter client 'and 3'
await client 'write(6 bytes)'
# Twice in vain, with all of it too; the third time the cable is whole again.
await client 'timer rexmt fired' 2
await wire 'Flags \[P\.\], seq 13:33,'
enter wire mend
await server '^line number 2'
await server '^and 3'
await wire '1.9 > 10.0.0.2.1104: Flags \[\.\], ack 33,'
eof client
ended client
ended server

# expect wire: * IP 10.0.0.2.1104 > 10.0.0.1.9: Flags [P.], seq 1:13, ack 1, win 4096, length 12
# expect wire: cable cut: the wire
# expect wire: * IP 10.0.0.2.1104 > 10.0.0.1.9: Flags [P.], seq 13:27, ack 1, win 4096, length 14
# expect wire: * IP 10.0.0.2.1104 > 10.0.0.1.9: dropped: cable cut
# expect wire: * IP 10.0.0.2.1104 > 10.0.0.1.9: Flags [P.], seq 13:33, ack 1, win 4096, length 20
# expect wire: * IP 10.0.0.2.1104 > 10.0.0.1.9: dropped: cable cut
# expect wire: cable mended: the wire
# expect wire: * IP 10.0.0.2.1104 > 10.0.0.1.9: Flags [P.], seq 13:33, ack 1, win 4096, length 20
# expect wire: * IP 10.0.0.1.9 > 10.0.0.2.1104: Flags [.], ack 33, win *, length 0
# expect client: * timer rexmt fired
# expect client: * timer rexmt fired
# expect client: * timer rexmt fired
# expect server: hello there
# expect server: line number 2
# expect server: and 3
