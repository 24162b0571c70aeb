//! The analysis of any file ends, and gives every captured byte one class.

#![no_main]

use dissect::{Options, analyse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    if let Ok(report) = analyse(file, &Options::default()) {
        assert!(report.ledger.balanced);
    }
});
