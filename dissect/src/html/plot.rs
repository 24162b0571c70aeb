//! Drawings in SVG: no script, nothing from elsewhere, and readable without colours.

use maud::{Markup, html};

/// Width of every drawing, in its own units.
pub(super) const WIDTH: f64 = 900.0;
/// Room on the left for words.
const LEFT: f64 = 150.0;
/// Room below for the axis.
const BELOW: f64 = 34.0;

/// One part of a bar.
#[derive(Clone, Debug)]
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) amount: u64,
}

/// A horizontal bar of parts, with a legend that gives the numbers.
pub(super) fn bar(title: &str, parts: &[Part<'_>]) -> Markup {
    let total: u64 = parts.iter().map(|part| part.amount).sum();
    let mut start = 0.0;
    let mut pieces = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let width = share(part.amount, total) * WIDTH;
        pieces.push((index, start, width, part));
        start += width;
    }
    html! {
        svg viewBox={ "0 0 " (WIDTH) " 40" } role="img" aria-label=(title) {
            @for (index, start, width, part) in &pieces {
                rect class={ "c" (index % 12) } x=(fixed(*start)) y="4" width=(fixed(*width)) height="32" {
                    title { (part.name) ": " (part.amount) " bytes" }
                }
            }
        }
        ul class="legend" {
            @for (index, _, _, part) in &pieces {
                li { span class={ "key c" (index % 12) } {} (part.name) " " b { (part.amount) } }
            }
        }
    }
}

/// What an axis shows: its ends and its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis<'a> {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) label: &'a str,
}

impl Axis<'_> {
    /// Where a value is, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let span = (self.to - self.from).max(f64::MIN_POSITIVE);
        ((value - self.from) / span).clamp(0.0, 1.0)
    }
}

/// One mark of a drawing, with the words that appear when it is pointed at.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) class: &'static str,
    pub(super) words: String,
}

/// Marks over two axes, and lines through points.
pub(super) fn scatter(title: &str, x: Axis<'_>, y: Axis<'_>, marks: &[Mark], line: &[(f64, f64)]) -> Markup {
    const HEIGHT: f64 = 280.0;
    let at_x = |value: f64| LEFT + x.place(value) * (WIDTH - LEFT - 10.0);
    let at_y = |value: f64| 10.0 + (1.0 - y.place(value)) * (HEIGHT - BELOW - 10.0);
    let points: Vec<String> =
        line.iter().map(|(x, y)| format!("{},{}", fixed(at_x(*x)), fixed(at_y(*y)))).collect();
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(title) {
            (frame(x, HEIGHT))
            text class="word" x="4" y="20" { (y.label) }
            @for step in 0..=4_u8 {
                @let value = y.from + (y.to - y.from) * f64::from(step) / 4.0;
                text class="tick" x=(LEFT - 6.0) y=(fixed(at_y(value) + 4.0)) text-anchor="end" { (short(value)) }
                line class="grid" x1=(LEFT) x2=(WIDTH - 10.0) y1=(fixed(at_y(value))) y2=(fixed(at_y(value))) {}
            }
            polyline class="line" points=(points.join(" ")) {}
            @for mark in marks {
                circle class=(mark.class) cx=(fixed(at_x(mark.x))) cy=(fixed(at_y(mark.y))) r="2.5" {
                    title { (mark.words) }
                }
            }
        }
    }
}

/// Rows of ticks along one axis.
pub(super) fn rows(title: &str, x: Axis<'_>, rows: &[(String, Vec<Mark>)]) -> Markup {
    const ROW: f64 = 36.0;
    let height = ROW * crate::opacity::approximate(rows.len()) + BELOW;
    let at_x = |value: f64| LEFT + x.place(value) * (WIDTH - LEFT - 10.0);
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(title) {
            (frame(x, height))
            @for (index, (name, marks)) in rows.iter().enumerate() {
                @let top = ROW * crate::opacity::approximate(index);
                text class="word" x="4" y=(fixed(top + 22.0)) { (name) }
                @for mark in marks {
                    // The client above the middle, the hub below it.
                    @let y = top + 4.0 + 14.0 * mark.y;
                    line class=(mark.class) x1=(fixed(at_x(mark.x))) x2=(fixed(at_x(mark.x)))
                        y1=(fixed(y)) y2=(fixed(y + 13.0)) { title { (mark.words) } }
                }
            }
        }
    }
}

/// Columns over an axis, two beside each other.
pub(super) fn columns(title: &str, label: &str, columns: &[(String, [u64; 2])]) -> Markup {
    const HEIGHT: f64 = 200.0;
    let most = columns.iter().flat_map(|(_, both)| both).copied().max().unwrap_or(1).max(1);
    let width = (WIDTH - LEFT - 10.0) / crate::opacity::approximate(columns.len().max(1));
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(title) {
            text class="word" x="4" y="20" { "datagrams" }
            text class="word" x=(WIDTH / 2.0) y=(HEIGHT - 2.0) { (label) }
            @for (index, (name, both)) in columns.iter().enumerate() {
                @let x = LEFT + width * crate::opacity::approximate(index);
                @for (side, amount) in both.iter().enumerate() {
                    @let high = share(*amount, most) * (HEIGHT - BELOW - 20.0);
                    rect class=(["client", "hub"][side % 2]) x=(fixed(x + width * (0.1 + 0.4 * crate::opacity::approximate(side))))
                        y=(fixed(HEIGHT - BELOW - high)) width=(fixed(width * 0.38)) height=(fixed(high)) {
                        title { (["client", "hub"][side % 2]) ", " (name) ": " (amount) }
                    }
                }
                text class="tick" x=(fixed(x + width / 2.0)) y=(fixed(HEIGHT - BELOW + 14.0)) text-anchor="middle" { (name) }
            }
        }
    }
}

/// The axis below a drawing.
fn frame(x: Axis<'_>, height: f64) -> Markup {
    let base = height - BELOW;
    html! {
        line class="axis" x1=(LEFT) x2=(WIDTH - 10.0) y1=(fixed(base)) y2=(fixed(base)) {}
        @for step in 0..=4_u8 {
            @let at = f64::from(step) / 4.0;
            // The last number ends where the axis does, or it would be cut.
            @let anchor = if step == 4 { "end" } else { "middle" };
            text class="tick" x=(fixed(LEFT + at * (WIDTH - LEFT - 10.0))) y=(fixed(base + 14.0)) text-anchor=(anchor) {
                (short(x.from + (x.to - x.from) * at))
            }
        }
        text class="word" x=(WIDTH / 2.0) y=(fixed(height - 2.0)) { (x.label) }
    }
}

/// A part of a whole, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a drawing has fewer than 2^53 places")]
fn share(amount: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { amount as f64 / total as f64 }
}

fn fixed(value: f64) -> String {
    format!("{value:.1}")
}

/// A number on an axis: no more digits than it takes.
fn short(value: f64) -> String {
    if value.abs() >= 100.0 || value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
