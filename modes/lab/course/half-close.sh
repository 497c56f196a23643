#!/bin/sh
# The end of the question is not the end of the connection
# TCP/IP Illustrated, section 18.5, figures 18-10 and 18-11
# Look for: the client's FIN comes before the server's data, and the client still
# acknowledges them. Only after the server's FIN is it over.
. "$(dirname "$0")/functions"

wire --delay 10ms
# With -h the end of standard input is a half-close, shutdown() for writing, and
# a server waits for the end of its own input though the client's has ended.
start server --addr 10.0.0.1 --profile bsd -h -v -s 7777
await server '^listening'
start client --addr 10.0.0.2 --profile bsd -h -v -b1098 10.0.0.1 7777
await client '^connected'
for fruit in pear apple fig; do
	enter client "$fruit"
done
eof client
await server '^connection closed by peer'

# Now the server knows that there will be no more. Only now it can begin to sort.
grep -e '^pear$' -e '^apple$' -e '^fig$' server.screen | sort >sorted
while read -r fruit; do
	enter server "$fruit"
	await client "^$fruit\$"
done <sorted
eof server
ended server
ended client

# expect server: pear
# expect server: apple
# expect server: fig
# expect server: connection closed by peer
# expect client: apple
# expect client: fig
# expect client: pear
# expect client: connection closed by peer
# expect wire: * IP 10.0.0.2.1098 > 10.0.0.1.7777: Flags [F*], seq *, ack 1, win 4096, length *
# expect wire: * IP 10.0.0.1.7777 > 10.0.0.2.1098: Flags [P.], seq 1:7, ack 17, win 4096, length 6
# expect wire: * IP 10.0.0.2.1098 > 10.0.0.1.7777: Flags [.], ack *, win 4096, length 0
# expect wire: * IP 10.0.0.1.7777 > 10.0.0.2.1098: Flags [P.], seq 7:11, ack 17, win 4096, length 4
# expect wire: * IP 10.0.0.1.7777 > 10.0.0.2.1098: Flags [P.], seq 11:16, ack 17, win 4096, length 5
# expect wire: * IP 10.0.0.1.7777 > 10.0.0.2.1098: Flags [F.], seq 16, ack 17, win 4096, length 0
# expect wire: * IP 10.0.0.2.1098 > 10.0.0.1.7777: Flags [.], ack 17, win 4096, length 0
# never wire: * Flags [R*
