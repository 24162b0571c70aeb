//! Just enough of BER and DER (X.690) for certificates, LDAP and SNMP.

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) value: &'a [u8],
}

/// How many bytes tag and length take, and how many the value takes; `None` when more bytes are needed or
/// the length is of a form that is not read.
pub(super) fn header(bytes: &[u8]) -> Option<(usize, usize)> {
    let (_, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if first < 0x80 {
        return Some((2, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return None;
    }
    let length = rest.get(..count)?.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    Some((2 + count, length))
}

/// Splits the first element off.
pub(super) fn next<'a>(bytes: &mut &'a [u8]) -> Option<Element<'a>> {
    let (header, length) = header(bytes)?;
    let tag = *bytes.first()?;
    let (value, rest) = bytes.get(header..)?.split_at_checked(length)?;
    *bytes = rest;
    Some(Element { tag, value })
}

/// Elements, one after the other.
pub(super) fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    std::iter::from_fn(move || next(&mut bytes))
}

/// The name of the object `commonName` (X.520), and `subjectAltName` (RFC 5280).
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// The names of the subject of a certificate (RFC 5280 section 4.1): its common name and its DNS names.
pub(super) fn subject_names(certificate: &[u8]) -> Vec<&[u8]> {
    try_subject_names(certificate).unwrap_or_default()
}

fn try_subject_names(certificate: &[u8]) -> Option<Vec<&[u8]>> {
    let mut bytes = certificate;
    let mut whole = next(&mut bytes)?.value;
    let body = next(&mut whole)?.value;
    // Version (when given), serial number, algorithm, issuer, validity, subject, key, extensions.
    let mut fields = elements(body).skip_while(|field| field.tag == 0xa0).skip(4);
    let subject = fields.next()?.value;
    let mut names = Vec::new();
    for attribute in elements(subject).flat_map(|set| elements(set.value)) {
        let mut parts = elements(attribute.value);
        if parts.next().is_some_and(|object| object.value == COMMON_NAME) {
            names.extend(parts.next().map(|name| name.value));
        }
    }
    let extensions = fields.find(|field| field.tag == 0xa3);
    let listed =
        extensions.iter().flat_map(|field| elements(field.value)).flat_map(|list| elements(list.value));
    for extension in listed {
        let mut parts = elements(extension.value);
        if parts.next().is_some_and(|object| object.value == SUBJECT_ALT_NAME) {
            let value = parts.find(|part| part.tag == 4).map_or(&[][..], |part| part.value);
            let general = elements(value).flat_map(|names| elements(names.value));
            names.extend(general.filter(|name| name.tag == 0x82).map(|name| name.value));
        }
    }
    Some(names)
}
