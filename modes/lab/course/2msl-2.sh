#!/bin/sh
# A client asks for the port that it had
# TCP/IP Illustrated, section 18.6, the 2MSL wait
# Look for: the client has closed first, and so it is its port that cannot be bound
# again. Clients seldom notice, because they take any port.
. "$(dirname "$0")/functions"

wire --delay 10ms
start server --addr 10.0.0.35 --profile bsd -F --echo -v -s 7
await server '^listening'
start client --addr 10.0.0.33 --profile bsd -v -b1162 10.0.0.35 7
await client '^connected'
enter client 'hello there'
await client '^hello there'
eof client
ended client
await wire '10.0.0.33 has left 1 connection in TIME_WAIT'

start again --addr 10.0.0.33 --profile bsd -v -b1162 10.0.0.35 7
ended again 1
start other --addr 10.0.0.33 --profile bsd -v 10.0.0.35 7
await other '^connected'
eof other
ended other
stop server

# expect client: connected on 10.0.0.33.1162 to 10.0.0.35.7
# expect client: hello there
# expect again: can't bind local address: Address already in use
# expect other: connected on 10.0.0.33.*
