<?php
// Receives what a daemon tells a service manager (sd_notify(3)), at the address of the first argument: a line of JSON each.
$name = $argv[1];
$socket = socket_create(AF_UNIX, SOCK_DGRAM, 0);
if (!socket_bind($socket, $name[0] === '@' ? "\0" . substr($name, 1) : $name)) exit(1);
echo json_encode('listening'), "\n";
while (socket_recvfrom($socket, $message, 65536, 0, $from) !== false) echo json_encode($message), "\n";
