#!/bin/sh
# A connection is opened, and closed
# TCP/IP Illustrated, section 18.2, figures 18-1, 18-3 and 18-13
# Look for: three segments open the connection and four close it. A SYN and a FIN
# take one sequence number each. The end that closes first passes FIN_WAIT_1 and
# FIN_WAIT_2 to TIME_WAIT, the other one CLOSE_WAIT and LAST_ACK.
. "$(dirname "$0")/functions"

wire --delay 10ms

# --profile bsd is a system of the book: it sends no options but the MSS, and the
# first ISN after it was booted is 1.
start server --addr 10.0.0.1 --profile bsd --trace -v -s 9
await server '^listening'
start client --addr 10.0.0.2 --profile bsd --trace -v -b1037 10.0.0.1 9
await client '^connected'
await server '^connection on'
eof client
ended client
ended server

# expect wire: * IP 10.0.0.2.1037 > 10.0.0.1.9: Flags [S], seq *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.1.9 > 10.0.0.2.1037: Flags [S.], seq *, ack *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.2.1037 > 10.0.0.1.9: Flags [.], ack 1, win 4096, length 0
# expect wire: * IP 10.0.0.2.1037 > 10.0.0.1.9: Flags [F.], seq 1, ack 1, win 4096, length 0
# expect wire: * IP 10.0.0.1.9 > 10.0.0.2.1037: Flags [.], ack 2, win 4096, length 0
# expect wire: * IP 10.0.0.1.9 > 10.0.0.2.1037: Flags [F.], seq 1, ack 2, win 4096, length 0
# expect wire: * IP 10.0.0.2.1037 > 10.0.0.1.9: Flags [.], ack 2, win 4096, length 0
# expect client: * CLOSED -> SYN_SENT (connect)
# expect client: * SYN_SENT -> ESTABLISHED (receive SYN|ACK)
# expect client: * ESTABLISHED -> FIN_WAIT_1 (close)
# expect client: * FIN_WAIT_1 -> FIN_WAIT_2 (receive ACK)
# expect client: * FIN_WAIT_2 -> TIME_WAIT (receive FIN|ACK)
# expect server: * CLOSED -> LISTEN (listen)
# expect server: * LISTEN -> SYN_RCVD (receive SYN)
# expect server: * SYN_RCVD -> ESTABLISHED (receive ACK)
# expect server: * ESTABLISHED -> CLOSE_WAIT (receive FIN|ACK)
# expect server: * CLOSE_WAIT -> LAST_ACK (close)
# expect server: * LAST_ACK -> CLOSED (receive ACK)
