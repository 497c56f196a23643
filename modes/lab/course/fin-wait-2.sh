#!/bin/sh
# The other end never closes
# TCP/IP Illustrated, section 18.6, the FIN_WAIT_2 state
# Look for: the client's FIN has been acknowledged, but the server sends none, so
# that FIN_WAIT_2 could last for ever. A timer ends it, and no segment tells of it:
# the server stays in CLOSE_WAIT.
. "$(dirname "$0")/functions"

wire --delay 10ms
# With -h a server goes on though the client's input has ended.
start server --addr 10.0.0.1 --profile bsd --trace -h -v -s 7777
await server '^listening'
# The book's system waits 10 minutes and 75 seconds.
start client --addr 10.0.0.2 --profile bsd --set fin-wait-2=1s --trace -v -b1098 10.0.0.1 7777
await client '^connected'
await server '^connection on'
eof client
await server '^connection closed by peer'
ended client
crash server

# expect wire: * IP 10.0.0.2.1098 > 10.0.0.1.7777: Flags [F.], seq 1, ack 1, win 4096, length 0
# expect wire: * IP 10.0.0.1.7777 > 10.0.0.2.1098: Flags [.], ack 2, win 4096, length 0
# expect wire: 10.0.0.2 has left
# expect client: * FIN_WAIT_1 -> FIN_WAIT_2 (receive ACK)
# expect client: * FIN_WAIT_2 -> CLOSED (fin_wait_2 timer)
# expect server: * ESTABLISHED -> CLOSE_WAIT (receive FIN|ACK)
# never server: * CLOSE_WAIT -> *
# never wire: * IP 10.0.0.1.7777 > 10.0.0.2.1098: Flags [F*
# never wire: *Flags [R*
