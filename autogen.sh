#!/bin/sh
set -eu
cd "$(dirname "$0")"
autoreconf --install --warnings=all
