//! FTP's control connection (RFC 959, RFC 4217). A data connection is a flow of its own: unknown, and text
//! or not.

use crate::clear::protocol::Protocol;
use crate::clear::protocol::SecretKind::{Name, Password, User};
use crate::clear::shelf::Shelf;
use crate::clear::speaker::{Next, Role, Speaker, Token};
use crate::clear::stream::recognise::{Fit, either};
use crate::clear::stream::tls::Tls;
use crate::clear::text::{first_word, is_one_of};

/// Reads FTP.
#[derive(Debug, Default)]
pub(super) struct Ftp {
    tls_asked: bool,
}

/// Whether these are the first bytes of FTP. `USER` alone could be of POP3 too.
pub(super) fn fits(client: &[u8], server: &[u8]) -> Fit {
    match (Fit::by_lines(client, client_line), Fit::by_lines(server, server_line)) {
        (Fit::Yes, Fit::More) | (Fit::More, Fit::Yes) => Fit::More,
        (client, server) => either(client, server),
    }
}

fn client_line(line: &[u8]) -> Fit {
    let word = first_word(line).0;
    let known = [
        "USER", "PASS", "AUTH", "FEAT", "SYST", "OPTS", "HOST", "CLNT", "PBSZ", "ACCT", "PASV", "EPSV",
        "PORT", "CWD", "TYPE", "LIST", "RETR", "STOR",
    ];
    if is_one_of(word, &known) { Fit::Yes } else { Fit::No }
}

fn server_line(line: &[u8]) -> Fit {
    let (code, behind) = line.split_at(line.len().min(3));
    let reply = code.len() == 3
        && code.iter().all(u8::is_ascii_digit)
        && matches!(behind.first(), None | Some(b' ' | b'-'));
    if reply { Fit::Yes } else { Fit::No }
}

impl Speaker for Ftp {
    fn protocol(&self) -> Protocol {
        Protocol::Ftp
    }

    fn wants(&self, _role: Role) -> Token {
        Token::Line
    }

    fn hear(&mut self, role: Role, line: &[u8], shelf: &mut Shelf) -> Next {
        let (command, rest) = first_word(line);
        if role == Role::Server {
            if self.tls_asked && command == b"234" {
                return Next::Become(Box::new(Tls::default()));
            }
            if command.starts_with(b"220") {
                shelf.show("banner", rest);
            }
            return Next::Stay;
        }
        match command.to_ascii_uppercase().as_slice() {
            b"USER" => shelf.secret(User, rest),
            b"PASS" | b"ACCT" => shelf.secret(Password, rest),
            b"AUTH" => self.tls_asked = true,
            b"RETR" | b"STOR" | b"APPE" | b"CWD" | b"MKD" | b"DELE" | b"RNFR" | b"RNTO" | b"LIST"
            | b"NLST" | b"SIZE" => {
                shelf.secret(Name, rest);
            }
            _ => {}
        }
        Next::Stay
    }
}
