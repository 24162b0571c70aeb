//! Files with secrets are for their owner alone.

#![cfg(unix)]

use crate::harness::{Place, run};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

/// Keys, secrets, pins and key logs are made with mode 0600 in folders of mode 0700, whatever the umask.
#[test]
fn secrets_are_private() {
    let place = Place::new();
    let keys = ["hub.keys", "ann.keys"].map(|name| place.text(name));
    let hub = place.hub(&["--keylog", &keys[0]]);
    let mut ann = place.join(&hub.invite(), "ann", &["--keylog", &keys[1]]).connected();
    ann.end_input();
    let ended = ann.ended();
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("WARNING") && ended.stderr.contains(&keys[1]),
        "it is loud: {}",
        ended.stderr
    );
    let files =
        ["hub/identity", "hub/access-secret", "hub.keys", "ann/identity", "ann/pins.json", "ann.keys"];
    for (name, expected) in
        files.map(|name| (name, 0o600)).into_iter().chain([("hub", 0o700), ("ann", 0o700)])
    {
        let mode = fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, expected, "{name} has mode {mode:o}");
    }
}

/// A key log that others may read, or that is a link, is refused; nothing is written to it.
#[test]
fn a_key_log_others_may_read_is_refused() {
    let place = Place::new();
    let hub = place.hub(&[]);
    let (open, link, target) = (place.path("open.keys"), place.path("link.keys"), place.path("target"));
    fs::write(&open, "").unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o644)).unwrap();
    fs::write(&target, "").unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o600)).unwrap();
    symlink(&target, &link).unwrap();
    for (path, written) in [(&open, &open), (&link, &target)] {
        let mut client = place.join_command(&hub.invite(), "ann");
        let mut other_hub = place.hub_command("127.0.0.1:0", "other");
        for command in [&mut client, &mut other_hub] {
            let (code, _, stderr) = run(command.arg("--keylog").arg(path));
            assert_eq!(code, Some(1), "{stderr}");
            assert!(stderr.contains("key log") && stderr.contains(path.to_str().unwrap()), "{stderr}");
            assert_eq!(fs::read(written).unwrap(), b"");
        }
    }
}

/// A capture is never written over a file that is none.
#[test]
fn a_capture_overwrites_nothing() {
    let place = Place::new();
    let precious = place.path("thesis.txt");
    fs::write(&precious, "years of work").unwrap();
    let (code, _, stderr) = run(place.hub_command("127.0.0.1:0", "hub").arg("--capture").arg(&precious));
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("no pcapng file") && stderr.contains("try:"), "{stderr}");
    assert_eq!(fs::read(&precious).unwrap(), b"years of work");
}
