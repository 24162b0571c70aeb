//! Reads the tokens of a filter.

use regex::bytes::RegexBuilder;

use super::error::FilterError;
use super::lexer::{Token, TokenKind, tokens};
use super::literal::{self, Literal, unescape};
use super::slice::Slice;
use super::{Comparison, Expression, Filter, Operand, Part, Right, Test};
use crate::show::field;
use crate::show::value::Kind;

/// How deep brackets and negations may stand in each other.
const DEPTH_MAX: usize = 64;
/// Bytes that the program of one regular expression may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`FilterError`] with the place of the first mistake.
    pub(crate) fn parse(filter: &str) -> Result<Self, FilterError> {
        let mut parser = Parser { filter, tokens: tokens(filter)?, at: 0 };
        let expression = parser.expression(0)?;
        match parser.peek() {
            TokenKind::End => Ok(Self(expression)),
            _ => Err(parser.error("here the filter should end, or go on with \"and\" or \"or\"")),
        }
    }
}

struct Parser<'a> {
    filter: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

type Parsed<T> = Result<T, FilterError>;

impl Parser<'_> {
    fn expression(&mut self, depth: usize) -> Parsed<Expression> {
        let mut parts = vec![self.conjunction(depth)?];
        while self.takes(&["or", "||"]) {
            parts.push(self.conjunction(depth)?);
        }
        Ok(single(parts).unwrap_or_else(Expression::Any))
    }

    fn conjunction(&mut self, depth: usize) -> Parsed<Expression> {
        let mut parts = vec![self.negation(depth)?];
        while self.takes(&["and", "&&"]) {
            parts.push(self.negation(depth)?);
        }
        Ok(single(parts).unwrap_or_else(Expression::Every))
    }

    fn negation(&mut self, depth: usize) -> Parsed<Expression> {
        if depth > DEPTH_MAX {
            return Err(self.error(format!("more than {DEPTH_MAX} brackets or negations in each other")));
        }
        if self.takes(&["not", "!"]) {
            return Ok(Expression::Not(Box::new(self.negation(depth + 1)?)));
        }
        if self.takes(&["("]) {
            let inner = self.expression(depth + 1)?;
            self.expect(")", "a bracket that does not close: put a ) here")?;
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Parsed<Expression> {
        let operand = self.operand()?;
        if let Some(comparison) = self.comparison() {
            let right = self.right(&operand)?;
            return Ok(Expression::Test(Test::Compare(operand, comparison, right)));
        }
        if self.is(&["="]) {
            return Err(self.error("write == to compare"));
        }
        if self.is(&["not"]) && self.word_at(1).is_some_and(|word| word == "in") {
            self.at += 2;
            let set = self.set(&operand)?;
            return Ok(Expression::Not(Box::new(Expression::Test(Test::In(operand, set)))));
        }
        let test = if self.takes(&["in"]) {
            let set = self.set(&operand)?;
            Test::In(operand, set)
        } else if self.takes(&["contains"]) {
            let needle = self.needle(&operand)?;
            Test::Contains(operand, needle)
        } else if self.takes(&["matches", "~"]) {
            let regex = self.regex(&operand)?;
            Test::Matches(operand, regex)
        } else {
            Test::Present(operand)
        };
        Ok(Expression::Test(test))
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let word = match self.peek() {
            TokenKind::Word(word) => word.clone(),
            TokenKind::End => return Err(self.error("here a field is missing, such as udp.srcport")),
            _ => return Err(self.error("here a field should stand, such as udp.srcport")),
        };
        let function = match word.as_str() {
            "len" => Some(Part::Length),
            "count" => Some(Part::Count),
            "lower" => Some(Part::Lower),
            "upper" => Some(Part::Upper),
            _ => None,
        };
        if let (Some(part), Some(TokenKind::Sign("("))) = (function, self.kind_at(1)) {
            self.at += 2;
            let inner = self.part()?;
            let is_text = matches!(inner.field.kind, Kind::Text | Kind::Bytes | Kind::Protocol);
            if matches!(part, Part::Lower | Part::Upper) && !is_text {
                return Err(self.error(format!("{} is no text", inner.field.name)));
            }
            if !matches!(inner.part, Part::Whole) {
                return Err(self.error("a function takes a whole field"));
            }
            self.expect(")", "a bracket that does not close: put a ) here")?;
            return Ok(Operand { part, ..inner });
        }
        self.part()
    }

    /// A field, or bytes of it.
    fn part(&mut self) -> Parsed<Operand> {
        let word = self.word_at(0).unwrap_or_default().to_owned();
        let field = field::find(&word).ok_or_else(|| self.error(field::unknown(&word)))?;
        self.at += 1;
        let part = if self.takes(&["["]) { Part::Slices(self.slices()?) } else { Part::Whole };
        Ok(Operand { field, part })
    }

    fn slices(&mut self) -> Parsed<Vec<Slice>> {
        let mut slices = Vec::new();
        loop {
            let slice = match self.peek() {
                TokenKind::Word(word) => Slice::parse(word),
                _ => None,
            };
            slices.push(slice.ok_or_else(|| {
                self.error("a part is [offset], [offset:length], [first-last], [:length] or [offset:]")
            })?);
            self.at += 1;
            if !self.takes(&[","]) {
                self.expect("]", "a bracket that does not close: put a ] here")?;
                return Ok(slices);
            }
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let found = match self.peek() {
            TokenKind::Sign(sign) => *sign,
            TokenKind::Word(word) => word.as_str(),
            _ => return None,
        };
        let comparison = match found {
            "==" | "eq" => Comparison::AnyEqual,
            "!=" | "ne" => Comparison::EveryUnequal,
            "===" => Comparison::EveryEqual,
            "!==" => Comparison::AnyUnequal,
            "<" | "lt" => Comparison::Less,
            "<=" | "le" => Comparison::LessOrEqual,
            ">" | "gt" => Comparison::Greater,
            ">=" | "ge" => Comparison::GreaterOrEqual,
            _ => return None,
        };
        self.at += 1;
        Some(comparison)
    }

    fn right(&mut self, left: &Operand) -> Parsed<Right> {
        if let TokenKind::Word(word) = self.peek()
            && let Some(field) = field::find(word)
            // A word that is a field and a text is a text where text is compared.
            && left.kind() != Kind::Text
        {
            if !comparable(left.kind(), field.kind) {
                let (kind, other) = (left.kind().described(), field.kind.described());
                return Err(self.error(format!("{} is {other}, not {kind}", field.name)));
            }
            return self.operand().map(Right::Operand);
        }
        self.literal(left).map(Right::Literal)
    }

    fn literal(&mut self, left: &Operand) -> Parsed<Literal> {
        let literal = Literal::read(self.peek(), left.kind(), left.field).map_err(|text| self.error(text))?;
        self.at += 1;
        Ok(literal)
    }

    /// `{a b 1..9}`, with commas if wished.
    fn set(&mut self, left: &Operand) -> Parsed<Vec<(Literal, Literal)>> {
        self.expect("{", "behind \"in\" stands a set, such as {1 2 5..9}")?;
        let mut set = Vec::new();
        while !self.takes(&["}"]) {
            self.split_range();
            let low = self.literal(left)?;
            let high = if self.takes(&[".."]) { self.literal(left)? } else { low.clone() };
            set.push((low, high));
            self.takes(&[","]);
        }
        Ok(set)
    }

    /// A word such as `1..9` becomes three.
    fn split_range(&mut self) {
        let Some(token) = self.tokens.get(self.at).cloned() else { return };
        let TokenKind::Word(word) = &token.kind else { return };
        let Some((low, high)) = word.split_once("..").filter(|(low, _)| !low.is_empty()) else { return };
        let part = |text: &str, skipped: usize| Token {
            kind: TokenKind::Word(text.to_owned()),
            column: token.column + skipped,
        };
        let before = low.chars().count();
        let mut parts = vec![part(low, 0), part("..", before)];
        if !high.is_empty() {
            parts.push(part(high, before + 2));
        }
        self.tokens.splice(self.at..=self.at, parts);
    }

    fn needle(&mut self, left: &Operand) -> Parsed<Vec<u8>> {
        self.searchable(left)?;
        let needle = match self.peek() {
            TokenKind::Quoted(text) => unescape(text),
            TokenKind::Word(word) => literal::bytes(word).ok_or_else(|| {
                "behind \"contains\" stands a text in quotes, or bytes such as 0a:0b:0c".to_owned()
            }),
            _ => Err("here a text in quotes is missing".to_owned()),
        };
        let needle = needle.map_err(|text| self.error(text))?;
        self.at += 1;
        Ok(needle)
    }

    fn regex(&mut self, left: &Operand) -> Parsed<regex::bytes::Regex> {
        self.searchable(left)?;
        let TokenKind::Quoted(pattern) = self.peek() else {
            return Err(self.error("behind \"matches\" stands a regular expression in quotes"));
        };
        let pattern = pattern.replace("\\\"", "\"");
        let regex = RegexBuilder::new(&pattern)
            .case_insensitive(true)
            .size_limit(REGEX_BYTES_MAX)
            .dfa_size_limit(REGEX_BYTES_MAX)
            .build();
        let regex = regex.map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            self.error(format!("not a regular expression: {reason}"))
        })?;
        self.at += 1;
        Ok(regex)
    }

    /// Only text and bytes are searched.
    fn searchable(&self, left: &Operand) -> Parsed<()> {
        match left.kind() {
            Kind::Text | Kind::Bytes | Kind::Protocol | Kind::Mac => Ok(()),
            kind => {
                let name = left.field.name;
                Err(self.error(format!("{name} is {}: compare it with == or \"in\"", kind.described())))
            }
        }
    }

    fn peek(&self) -> &TokenKind {
        self.kind_at(0).unwrap_or(&TokenKind::End)
    }

    fn kind_at(&self, ahead: usize) -> Option<&TokenKind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    fn word_at(&self, ahead: usize) -> Option<&str> {
        match self.kind_at(ahead) {
            Some(TokenKind::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Whether one of these words or signs is next.
    fn is(&self, texts: &[&str]) -> bool {
        match self.peek() {
            TokenKind::Word(word) => texts.contains(&word.as_str()),
            TokenKind::Sign(sign) => texts.contains(sign),
            _ => false,
        }
    }

    /// Goes past one of these, if it is next.
    fn takes(&mut self, texts: &[&str]) -> bool {
        let takes = self.is(texts);
        self.at += usize::from(takes);
        takes
    }

    fn expect(&mut self, sign: &str, otherwise: &str) -> Parsed<()> {
        if self.takes(&[sign]) { Ok(()) } else { Err(self.error(otherwise)) }
    }

    fn error(&self, text: impl Into<String>) -> FilterError {
        let column = self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |token| token.column);
        FilterError::new(self.filter, column, text)
    }
}

/// The one part there is, or all of them.
fn single(mut parts: Vec<Expression>) -> Result<Expression, Vec<Expression>> {
    match parts.pop() {
        Some(part) if parts.is_empty() => Ok(part),
        Some(part) => {
            parts.push(part);
            Err(parts)
        }
        None => Err(parts),
    }
}

/// Whether values of these kinds have an order.
fn comparable(left: Kind, right: Kind) -> bool {
    let family = |kind| match kind {
        Kind::Unsigned | Kind::Bool | Kind::Seconds | Kind::Date => 0,
        Kind::Bytes | Kind::Text | Kind::Mac | Kind::Protocol => 1,
        Kind::Ipv4 => 2,
        Kind::Ipv6 => 3,
    };
    family(left) == family(right)
}
