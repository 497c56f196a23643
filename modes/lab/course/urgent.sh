#!/bin/sh
# Urgent data, while the window is closed
# TCP/IP Illustrated, section 20.8, figure 20-14
# Look for: that there is urgent data is told at once, though the byte itself has
# to wait for room. The pointer counts from the number of its segment, and says
# the same in each: one past byte number 4097. After that byte it is gone.
. "$(dirname "$0")/functions"

wire --delay 10ms
# A sink that does not read until a line is typed.
start sink --addr 10.0.0.1 --profile bsd -v -i -s -P line 5555
await sink '^listening'
# The urgent byte follows the fourth write of 1024 bytes.
start source --addr 10.0.0.2 --profile bsd -v -i -n6 -S8192 -U4 -b1305 10.0.0.1 5555
await wire '1.5555 > 10.0.0.2.1305: Flags \[\.\], ack 4097, win 0,'
await source 'urgent data'
enter sink 'read now'
ended source
ended sink

# expect source: SO_SNDBUF = 8192
# expect source: wrote 1024 bytes
# expect source: wrote 1 byte of urgent data
# expect wire: * IP 10.0.0.2.1305 > 10.0.0.1.5555: Flags [.U], seq 3073:4097, ack 1, win 4096, urg 1025, length 1024
# expect wire: * IP 10.0.0.1.5555 > 10.0.0.2.1305: Flags [.], ack 4097, win 0, length 0
# expect wire: * IP 10.0.0.2.1305 > 10.0.0.1.5555: Flags [.U], seq 4097:5121, ack 1, win 4096, urg 1, length 1024
# expect wire: * IP 10.0.0.2.1305 > 10.0.0.1.5555: Flags [.], seq 5121:6145, ack 1, win 4096, length 1024
# expect wire: * IP 10.0.0.2.1305 > 10.0.0.1.5555: Flags [FP.], seq 6145:6146, ack 1, win 4096, length 1
