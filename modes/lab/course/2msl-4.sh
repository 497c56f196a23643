#!/bin/sh
# The very same connection, from the other end
# TCP/IP Illustrated, section 18.6, the 2MSL wait
# Look for: a SYN may come to a connection in TIME_WAIT, and begin a new one, if its
# number is beyond all that the old one has used. The ISN of the answer lies 128000
# beyond the old numbers too, so that nobody takes old segments for new ones.
. "$(dirname "$0")/functions"

wire --delay 10ms
# That the first ISN is 1 is not left to the clock here.
start server --addr 10.0.0.33 --profile bsd --set isn-tick=0 -v -s 6666
await server '^listening'
start client --addr 10.0.0.35 --profile bsd -v -b1098 10.0.0.33 6666
await client '^connected'
await server '^connection on'
stop server
ended client
await wire '10.0.0.33 has left 1 connection in TIME_WAIT'

start again --addr 10.0.0.33 --profile bsd -A --trace -v -s 6666
await again '^listening'
start same --addr 10.0.0.35 --profile bsd -v -b1098 10.0.0.33 6666
await same '^connected'
enter same 'and again'
await again '^and again'
eof same
ended same
ended again

# expect wire: * IP 10.0.0.33.6666 > 10.0.0.35.1098: Flags [S.], seq 1, *
# expect wire: * IP 10.0.0.33.6666 > 10.0.0.35.1098: Flags [F.], seq 1, *
# expect wire: 10.0.0.33 has left 1 connection in TIME_WAIT for *
# expect wire: 10.0.0.33 has got back 1 connection in TIME_WAIT for *
# expect wire: * IP 10.0.0.33.6666 > 10.0.0.35.1098: Flags [S.], seq 128003, *
# expect again: * CLOSED -> TIME_WAIT (left by the process before)
# expect again: * TIME_WAIT -> CLOSED (a SYN may begin a new incarnation)
# expect again: * LISTEN -> SYN_RCVD (receive SYN)
# expect server: connection on 10.0.0.33.6666 from 10.0.0.35.1098
# expect again: connection on 10.0.0.33.6666 from 10.0.0.35.1098
# expect again: and again
# expect same: connected on 10.0.0.35.1098 to 10.0.0.33.6666
