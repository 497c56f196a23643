#!/bin/sh
# Both ends close at the same moment
# TCP/IP Illustrated, section 18.9, figure 18-19
# Look for: two FINs cross, and each is answered by an ACK. Both ends go from
# FIN_WAIT_1 to CLOSING, which is seen nowhere else, and both end in TIME_WAIT.
. "$(dirname "$0")/functions"

wire --delay 10ms
start server --addr 10.0.0.1 --profile bsd --trace -v -s 7777
await server '^listening'
start client --addr 10.0.0.2 --profile bsd --trace -v -b1098 10.0.0.1 7777
await client '^connected'
# An end of input ends a server only if there was some before.
enter server 'hello, world'
await client '^hello, world'
await wire '2.1098 > 10.0.0.1.7777: Flags \[\.\], ack 14,'

# Nothing comes through a frozen wire, so that both FINs leave before one arrives.
enter wire freeze
await wire 'wire frozen'
eof client
eof server
await wire '2.1098 > 10.0.0.1.7777: Flags \[F\.\],'
await wire '1.7777 > 10.0.0.2.1098: Flags \[F\.\],'
enter wire thaw
ended client
ended server

# expect wire: * IP 10.0.0.*: Flags [F.], seq *, ack *, win 4096, length 0
# expect wire: * IP 10.0.0.*: Flags [F.], seq *, ack *, win 4096, length 0
# expect wire: * IP 10.0.0.*: Flags [.], ack *, win 4096, length 0
# expect wire: * IP 10.0.0.*: Flags [.], ack *, win 4096, length 0
# expect client: * ESTABLISHED -> FIN_WAIT_1 (close)
# expect client: * FIN_WAIT_1 -> CLOSING (receive FIN|ACK)
# expect client: * CLOSING -> TIME_WAIT (receive ACK)
# expect server: * ESTABLISHED -> FIN_WAIT_1 (close)
# expect server: * FIN_WAIT_1 -> CLOSING (receive FIN|ACK)
# expect server: * CLOSING -> TIME_WAIT (receive ACK)
