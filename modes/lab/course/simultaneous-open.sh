#!/bin/sh
# Two clients call each other at the same moment
# TCP/IP Illustrated, section 18.8, figures 18-17 and 18-18
# Look for: two SYNs cross, and both are answered by a SYN with an ACK. The four
# segments make one connection, and neither end is a server.
. "$(dirname "$0")/functions"

# Nothing comes through a frozen wire, so that both SYNs leave before one arrives.
wire --delay 10ms
enter wire freeze
await wire 'wire frozen'
start here --addr 10.0.0.1 --profile bsd --trace -v -b8888 10.0.0.2 7777
start there --addr 10.0.0.2 --profile bsd --trace -v -b7777 10.0.0.1 8888
await wire '1.8888 > 10.0.0.2.7777: Flags \[S\],'
await wire '2.7777 > 10.0.0.1.8888: Flags \[S\],'
enter wire thaw
await here '^connected'
await there '^connected'
enter here 'hello, world'
await there '^hello, world'
enter there 'and hi there'
await here '^and hi there'
eof there
ended there
ended here

# expect wire: * IP 10.0.0.*: Flags [S], seq *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.*: Flags [S], seq *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.*: Flags [S.], seq *, ack *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.*: Flags [S.], seq *, ack *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.1.8888 > 10.0.0.2.7777: Flags [P.], seq 1:14, ack 1, win 4096, length 13
# expect wire: * IP 10.0.0.2.7777 > 10.0.0.1.8888: Flags [P.], seq 1:14, ack *, win *, length 13
# expect wire: * IP 10.0.0.2.7777 > 10.0.0.1.8888: Flags [F.], *
# expect here: * CLOSED -> SYN_SENT (connect)
# expect here: * SYN_SENT -> SYN_RCVD (receive SYN)
# expect here: * SYN_RCVD -> ESTABLISHED (receive *)
# expect here: connected on 10.0.0.1.8888 to 10.0.0.2.7777
# expect here: and hi there
# expect here: connection closed by peer
# expect there: * CLOSED -> SYN_SENT (connect)
# expect there: * SYN_SENT -> SYN_RCVD (receive SYN)
# expect there: * SYN_RCVD -> ESTABLISHED (receive *)
# expect there: connected on 10.0.0.2.7777 to 10.0.0.1.8888
# expect there: hello, world
# never wire: * Flags [R*
