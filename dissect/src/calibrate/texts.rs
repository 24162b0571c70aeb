//! Texts that leaks are made of.

use crate::noise::Noise;

/// From chapter I of Lewis Carroll, "Alice's Adventures in Wonderland" (1865), which is in the public domain.
/// The models were made from other books.
const ENGLISH: &str = "\
Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: \
once or twice she had peeped into the book her sister was reading, but it had no pictures or conversations \
in it, \"and what is the use of a book,\" thought Alice \"without pictures or conversations?\" So she was \
considering in her own mind (as well as she could, for the hot day made her feel very sleepy and stupid), \
whether the pleasure of making a daisy-chain would be worth the trouble of getting up and picking the \
daisies, when suddenly a White Rabbit with pink eyes ran close by her. There was nothing so very remarkable \
in that; nor did Alice think it so very much out of the way to hear the Rabbit say to itself, \"Oh dear! Oh \
dear! I shall be late!\" (when she thought it over afterwards, it occurred to her that she ought to have \
wondered at this, but at the time it all seemed quite natural); but when the Rabbit actually took a watch \
out of its waistcoat-pocket, and looked at it, and then hurried on, Alice started to her feet, for it \
flashed across her mind that she had never before seen a rabbit with either a waistcoat-pocket, or a watch \
to take out of it, and burning with curiosity, she ran across the field after it, and fortunately was just \
in time to see it pop down a large rabbit-hole under the hedge. In another moment down went Alice after it, \
never once considering how in the world she was to get out again. The rabbit-hole went straight on like a \
tunnel for some way, and then dipped suddenly down, so suddenly that Alice had not a moment to think about \
stopping herself before she found herself falling down a very deep well. Either the well was very deep, or \
she fell very slowly, for she had plenty of time as she went down to look about her and to wonder what was \
going to happen next. First, she tried to look down and make out what she was coming to, but it was too \
dark to see anything; then she looked at the sides of the well, and noticed that they were filled with \
cupboards and book-shelves; here and there she saw maps and pictures hung upon pegs.";

/// The beginning of Leo Tolstoy, "Anna Karenina" (1878).
const RUSSIAN: &str = "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива \
по-своему. Все смешалось в доме Облонских.";

/// What a leak may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    LowerCase,
    English,
    Russian,
    Wide,
    Printable,
    Base64,
    Hexadecimal,
    Digits,
    Zeros,
}

impl Text {
    pub(super) const ALL: [Self; 9] = [
        Self::LowerCase,
        Self::English,
        Self::Russian,
        Self::Wide,
        Self::Printable,
        Self::Base64,
        Self::Hexadecimal,
        Self::Digits,
        Self::Zeros,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::LowerCase => "English, lower case",
            Self::English => "English as written",
            Self::Russian => "Russian in UTF-8",
            Self::Wide => "English in UTF-16",
            Self::Printable => "printable characters",
            Self::Base64 => "base64",
            Self::Hexadecimal => "hexadecimal",
            Self::Digits => "digits",
            Self::Zeros => "zeros",
        }
    }

    /// `len` bytes of it, from anywhere.
    pub(super) fn piece(self, noise: &mut Noise, len: usize) -> Vec<u8> {
        match self {
            Self::LowerCase => cut(noise, len, lower_case().into_bytes()),
            Self::English => cut(noise, len, ENGLISH.into()),
            Self::Russian => cut(noise, len, RUSSIAN.into()),
            Self::Wide => {
                let words = lower_case();
                cut(noise, len, words.encode_utf16().flat_map(u16::to_le_bytes).collect())
            }
            Self::Printable => alphabet(noise, len, &(b' '..=b'~').collect::<Vec<u8>>()),
            Self::Base64 => alphabet(noise, len, &data_encoding::BASE64.specification().symbols.into_bytes()),
            Self::Hexadecimal => alphabet(noise, len, b"0123456789abcdef"),
            Self::Digits => alphabet(noise, len, b"0123456789"),
            Self::Zeros => vec![0; len],
        }
    }
}

/// Letters and single spaces.
fn lower_case() -> String {
    let letters: String = ENGLISH
        .chars()
        .map(|character| if character.is_ascii_alphabetic() { character.to_ascii_lowercase() } else { ' ' })
        .collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(noise: &mut Noise, len: usize, text: Vec<u8>) -> Vec<u8> {
    let starts = u32::try_from(text.len().saturating_sub(len)).unwrap_or(0);
    let start = noise.below(starts) as usize;
    text.into_iter().skip(start).take(len).collect()
}

fn alphabet(noise: &mut Noise, len: usize, symbols: &[u8]) -> Vec<u8> {
    let count = u32::try_from(symbols.len()).unwrap_or(1);
    (0..len).filter_map(|_| symbols.get(noise.below(count) as usize)).copied().collect()
}
