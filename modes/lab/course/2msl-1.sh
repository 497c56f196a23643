#!/bin/sh
# A server cannot be started again at once
# TCP/IP Illustrated, section 18.6, the 2MSL wait
# Look for: the server has closed first, and so its end of the connection is in
# TIME_WAIT. Its process has gone, but its host remembers: the port cannot be
# bound again before twice the MSL has passed. With -A it can: see 2msl-4.
. "$(dirname "$0")/functions"

wire --delay 10ms
# The MSL is 30 seconds, as in the book. Here a host's process takes its TCP with
# it, and the hub remembers in its place.
start server --addr 10.0.0.33 --profile bsd -v -s 6666
await server '^listening'
start client --addr 10.0.0.35 --profile bsd -v -b1081 10.0.0.33 6666
await client '^connected'
await server '^connection on'
stop server
ended client
await wire '10.0.0.33 has left 1 connection in TIME_WAIT'

start again --addr 10.0.0.33 --profile bsd -v -s 6666
ended again 1

# On a host whose MSL is a second we can wait for the end of it.
start quick --addr 10.0.0.34 --profile bsd --set msl=1s -v -s 6666
await quick '^listening'
start client --addr 10.0.0.35 --profile bsd -v -b1082 10.0.0.34 6666
await client '^connected'
await quick '^connection on'
stop quick
ended client
await wire '10.0.0.34 has no connection in TIME_WAIT any more'
start later --addr 10.0.0.34 --profile bsd -v -s 6666
await later '^listening'
stop later

# expect wire: * IP 10.0.0.33.6666 > 10.0.0.35.1081: Flags [F.], *
# expect wire: 10.0.0.33 has left 1 connection in TIME_WAIT for *
# expect wire: 10.0.0.34 has no connection in TIME_WAIT any more
# expect again: can't bind local address: Address already in use
# expect later: listening on 0.0.0.0.6666
