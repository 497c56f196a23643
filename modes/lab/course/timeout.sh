#!/bin/sh
# Nobody answers a SYN
# TCP/IP Illustrated, section 18.3, figure 18-6
# Look for: the SYN is sent again, each time after a longer wait, until the limit
# of the connect has passed. It is the same SYN, with the same number.
. "$(dirname "$0")/functions"

wire
# The book's system waits 6 seconds, then 24, and gives up after 75. Without the
# three --set it does so here too: try it, with a clock at hand. With them it is
# 25 times as fast, because its clock ticks every 20 ms and not every 500.
start client --addr 10.0.0.2 --profile bsd --trace -v -b1024 \
	--set tick=20ms --set syn-timeouts=240ms,960ms,1920ms --set connect-timeout=3s \
	10.0.0.99 9
ended client 1

# expect wire: * IP 10.0.0.2.1024 > 10.0.0.99.9: Flags [S], seq *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.2.1024 > 10.0.0.99.9: Flags [S], seq *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.2.1024 > 10.0.0.99.9: Flags [S], seq *, win 4096, options [mss 1024], length 0
# expect wire: * IP 10.0.0.2.1024 > 10.0.0.99.9: dropped: nobody has that address
# expect client: * timer rexmt fired
# expect client: * timer rexmt fired
# expect client: * timer connect fired
# expect client: * SYN_SENT -> CLOSED (*)
# expect client: active open error: Connection timed out
# never client: connected *
