#!/bin/sh
# One end has crashed, and the other does not know
# TCP/IP Illustrated, section 18.7, figure 18-16
# Look for: while nothing is sent, nothing tells the client that its server has
# died. When it sends data, the host that has been booted again knows of no such
# connection: its RST has the number that the data acknowledged, and no ACK.
. "$(dirname "$0")/functions"

# No segment is under way when the cable comes out: this wire takes no time.
wire
start server --addr 10.0.0.1 --profile bsd -v -s 9
await server '^listening'
start client --addr 10.0.0.2 --profile bsd -v -b1102 10.0.0.1 9
await client '^connected'
enter client 'hi there'
await server '^hi there'
await wire '1.9 > 10.0.0.2.1102: Flags \[\.\], ack 10,'

# The cable comes out and the power goes off, so that no FIN can be sent.
enter wire 'cut 10.0.0.1'
await wire 'cable cut: 10.0.0.1'
crash server
await wire '10.0.0.1 has left'
enter wire 'mend 10.0.0.1'
await wire 'cable mended: 10.0.0.1'
start server --addr 10.0.0.1 --profile bsd -v -s 9
await server '^listening'

# The RST is shown with its number as it is: the server's ISN, and 1.
enter client 'another line'
ended client 1
stop server

# expect server: hi there
# expect wire: * IP 10.0.0.2.1102 > 10.0.0.1.9: Flags [P.], seq 1:10, ack 1, win 4096, length 9
# expect wire: * IP 10.0.0.1.9 > 10.0.0.2.1102: Flags [.], ack 10, win *, length 0
# expect wire: 10.0.0.1 has left
# expect wire: * IP 10.0.0.2.1102 > 10.0.0.1.9: Flags [P.], seq 10:23, ack 1, win 4096, length 13
# expect wire: * IP 10.0.0.1.9 > 10.0.0.2.1102: Flags [R], seq *, win 0, length 0
# expect client: read error: Connection reset by peer
# never server: another line
