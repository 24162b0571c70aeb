//! The fields of control messages about devices and passwords, in the order they have on the wire.

use spec::wire::login::{LoginMessage, Stretch};

use super::sealgram::Facts;
use crate::bytes::count;

/// Adds the fields of one message.
pub(super) fn facts(message: &LoginMessage<'_>, facts: &mut Facts<'_>) {
    match message {
        LoginMessage::Enrol { device } => facts.text("sealgram.control.device", device),
        LoginMessage::Devices => {}
        LoginMessage::Approve { code } => facts.number("sealgram.control.code", *code),
        LoginMessage::Revoke { number } => facts.number("sealgram.control.number", *number),
        LoginMessage::Password { request } => facts.bytes("sealgram.control.blinded", &request[..]),
        LoginMessage::Record { stretch, record } => {
            spent(*stretch, facts);
            facts.bytes("sealgram.control.record", &record[..]);
        }
        LoginMessage::Login { device, ke1 } => {
            facts.text("sealgram.control.device", device);
            facts.bytes("sealgram.control.ke1", &ke1[..]);
        }
        LoginMessage::Proof { ke3 } => facts.bytes("sealgram.control.ke3", &ke3[..]),
        LoginMessage::DeviceList(devices) => {
            facts.number("sealgram.control.count", count(devices.len()));
            for device in devices {
                facts.number("sealgram.control.number", device.number);
                facts.number("sealgram.control.flags", device.flags);
                facts.number("sealgram.control.since", device.since);
                facts.text("sealgram.control.device", device.name);
            }
        }
        LoginMessage::Granted { request } => facts.number("sealgram.control.request", *request),
        LoginMessage::PasswordAnswer { response } => {
            facts.bytes("sealgram.control.evaluated", &response[..]);
        }
        LoginMessage::LoginAnswer { stretch, ke2 } => {
            spent(*stretch, facts);
            facts.bytes("sealgram.control.ke2", &ke2[..]);
        }
        LoginMessage::LoginRefused { wait_secs } => facts.number("sealgram.control.wait", *wait_secs),
    }
}

fn spent(stretch: Stretch, facts: &mut Facts<'_>) {
    facts.number("sealgram.control.memory", u64::from(stretch.memory_kib));
    facts.number("sealgram.control.passes", u64::from(stretch.passes));
    facts.number("sealgram.control.lanes", u64::from(stretch.lanes));
}
