#!/bin/sh
# Print the first Python between 3.11 and 3.13 that can make virtual environments; $PYTHON is tried first.
for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        >/dev/null 2>&1; then
        echo "$candidate"
        exit 0
    fi
done
echo "No Python 3.11, 3.12 or 3.13 with venv found: install one (on Debian also python3-venv), or set PYTHON to it." >&2
exit 1
