#!/bin/sh
# How much one segment may carry
# TCP/IP Illustrated, section 18.4, figures 18-8 and 18-9
# Look for: each end says in its SYN what it is ready to receive, 1460 and 256,
# and there is no negotiation. Neither sends more than the other has said, nor
# more than it has room for itself.
. "$(dirname "$0")/functions"

wire --delay 10ms
# "slip" is behind a line whose MTU is 296. Its neighbour sends it 1000 bytes.
start slip --addr 10.0.0.1 --profile sunos -X256 -v -i -s 9
await slip '^listening'
start sun --addr 10.0.0.2 --profile sunos -i -n1 -w1000 -v -b1093 10.0.0.1 9
ended sun
ended slip

# expect wire: * IP 10.0.0.2.1093 > 10.0.0.1.9: Flags [S], *, options [mss 1460*
# expect wire: * IP 10.0.0.1.9 > 10.0.0.2.1093: Flags [S.], *, options [mss 256*
# expect sun: TCP_MAXSEG = 256
# expect wire: * IP 10.0.0.2.1093 > 10.0.0.1.9: Flags [*.], seq 1:257, * length 256
# expect wire: * IP 10.0.0.2.1093 > 10.0.0.1.9: Flags [*.], seq 257:513, * length 256
# expect wire: * IP 10.0.0.2.1093 > 10.0.0.1.9: Flags [*.], seq 513:769, * length 256
# expect wire: * IP 10.0.0.2.1093 > 10.0.0.1.9: Flags [*P.], seq 769:1001, * length 232
