//! The tables as a whole.

use std::collections::BTreeSet;

use crate::show::field::{all, find, unknown};

#[test]
fn names_are_used_once_and_everything_means_something() {
    let names: BTreeSet<&str> = all().map(|field| field.name).collect();
    assert_eq!(names.len(), all().count());
    assert!(all().all(|field| !field.meaning.is_empty()));
}

#[test]
fn every_field_of_the_protocol_has_its_name_here() {
    let ours = crate::fields::FIELDS.iter();
    assert!(ours.clone().count() > 90);
    for spec in ours {
        let field = find(spec.name).unwrap();
        assert_eq!((field.meaning, field.values), (spec.purpose, spec.values), "{}", spec.name);
    }
}

#[test]
fn the_nearest_name_is_suggested() {
    assert!(unknown("ip.scr").ends_with("did you mean \"ip.src\"?"), "{}", unknown("ip.scr"));
    assert!(unknown("sealgram.atempt_id").contains("sealgram.attempt_id"));
    assert!(unknown("completely_different_thing").contains("-G fields"));
}
