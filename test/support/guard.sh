#!/bin/sh
# guard.sh FOLDER < pipe held open by the owner
#
# Ends what its owner leaves behind. The pipe reaches its end when the owner is gone, in whatever way: even after a
# SIGKILL the process groups noted in FOLDER/groups are ended and FOLDER is removed.

folder=$1
trap '' HUP INT TERM
cat >/dev/null # nothing is ever written to the pipe

for note in "$folder"/groups/*; do
  group=${note##*/}
  [ "$group" = '*' ] && break
  kill -s KILL -- "-$group" 2>/dev/null
done
# A last write of what is just ending could leave the folder not empty.
rm -rf -- "$folder" 2>/dev/null || { sleep 0.2 && rm -rf -- "$folder"; }
