#!/bin/sh
# Runs rustc; lets a build that asks for a sanitizer use the flag for it on a stable toolchain.
case " $* " in
    *" -Zsanitizer="*) export RUSTC_BOOTSTRAP=1 ;;
esac
exec "$@"
