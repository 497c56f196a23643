#!/bin/sh
# The very same connection, from the end that closed it
# TCP/IP Illustrated, section 18.6, the 2MSL wait
# Look for: -A is leave to bind a port in TIME_WAIT, but not to make the connection
# again that is there: that pair of sockets is still in use.
. "$(dirname "$0")/functions"

wire --delay 10ms
start server --addr 10.0.0.33 --profile bsd -v -s 6666
await server '^listening'
start client --addr 10.0.0.35 --profile bsd -v -b1098 10.0.0.33 6666
await client '^connected'
await server '^connection on'
stop server
ended client
await wire '10.0.0.33 has left 1 connection in TIME_WAIT'

start without --addr 10.0.0.33 --profile bsd -v -b6666 10.0.0.35 1098
ended without 1
start with --addr 10.0.0.33 --profile bsd -A -v -b6666 10.0.0.35 1098
ended with 1

# expect server: connection on 10.0.0.33.6666 from 10.0.0.35.1098
# expect without: can't bind local address: Address already in use
# expect with: active open error: Address already in use
