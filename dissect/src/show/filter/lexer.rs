//! Cuts a filter into tokens.

use super::error::FilterError;

/// Characters of a filter at most.
const FILTER_CHARS_MAX: usize = 8_192;

/// A token and where it begins, in characters from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) column: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name, a number, an address: what stands without quotes.
    Word(String),
    /// What stands between quotes, escapes and all.
    Quoted(String),
    /// A bracket, an operator, a comma.
    Sign(&'static str),
    /// The end of the filter.
    End,
}

/// Longer signs first.
const SIGNS: [&str; 20] = [
    "===", "!==", "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "~", "(", ")", "{", "}", "[", "]", ",",
    "=",
];

/// All tokens; the last one is the end.
pub(super) fn tokens(filter: &str) -> Result<Vec<Token>, FilterError> {
    let characters: Vec<char> = filter.chars().collect();
    if characters.len() > FILTER_CHARS_MAX {
        let text = format!("a filter of more than {FILTER_CHARS_MAX} characters: cut it into several runs");
        return Err(FilterError::new("", 1, text));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(character) = characters.get(at).copied() {
        let column = at + 1;
        if character.is_whitespace() {
            at += 1;
            continue;
        }
        let rest = characters.get(at..).unwrap_or_default();
        let raw = character == 'r' && rest.get(1) == Some(&'"');
        let (kind, len) = if character == '"' || raw {
            quoted(rest, usize::from(raw)).ok_or_else(|| {
                FilterError::new(filter, column, "a text that does not end: put a \" behind it")
            })?
        } else if is_word(character) {
            let word: String = rest.iter().take_while(|character| is_word(**character)).collect();
            let len = word.chars().count();
            (TokenKind::Word(word), len)
        } else {
            sign(rest).ok_or_else(|| {
                FilterError::new(filter, column, format!("\"{character}\" means nothing in a filter"))
            })?
        };
        tokens.push(Token { kind, column });
        at += len.max(1);
    }
    tokens.push(Token { kind: TokenKind::End, column: characters.len() + 1 });
    Ok(tokens)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | ':' | '/' | '-')
}

/// A text between quotes that begins at `start`, and the characters it takes.
fn quoted(characters: &[char], start: usize) -> Option<(TokenKind, usize)> {
    let mut text = String::new();
    let mut at = start + 1;
    loop {
        match characters.get(at)? {
            '"' => return Some((TokenKind::Quoted(text), at + 1)),
            '\\' => {
                text.push('\\');
                text.push(*characters.get(at + 1)?);
                at += 2;
            }
            character => {
                text.push(*character);
                at += 1;
            }
        }
    }
}

fn sign(characters: &[char]) -> Option<(TokenKind, usize)> {
    let is_next = |sign: &&&str| sign.chars().zip(characters).filter(|(a, b)| a == *b).count() == sign.len();
    SIGNS.iter().find(is_next).map(|sign| (TokenKind::Sign(sign), sign.len()))
}
