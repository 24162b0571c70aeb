//! Asks a filter about a packet.

use std::cmp::Ordering;

use memchr::memmem;

use super::{Comparison, Expression, Filter, Operand, Part, Right, Test};
use crate::bytes::count;
use crate::show::seen::Seen;
use crate::show::value::Value;

impl Filter {
    /// Whether the filter holds for a packet.
    pub(crate) fn holds(&self, seen: &Seen<'_>) -> bool {
        self.0.holds(seen)
    }
}

impl Expression {
    fn holds(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Every(parts) => parts.iter().all(|part| part.holds(seen)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(seen)),
            Self::Not(inner) => !inner.holds(seen),
            Self::Test(test) => test.holds(seen),
        }
    }
}

impl Test {
    fn holds(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Present(operand) => !operand.values(seen).is_empty(),
            Self::Compare(left, comparison, Right::Literal(literal)) => {
                let orders = left.values(seen).iter().map(|value| literal.order(value)).collect();
                comparison.holds(orders)
            }
            Self::Compare(left, comparison, Right::Operand(right)) => {
                let (left, right) = (left.values(seen), right.values(seen));
                let pairs = left.iter().flat_map(|left| right.iter().map(|right| left.order(right)));
                comparison.holds(pairs.collect())
            }
            Self::In(operand, set) => operand.values(seen).iter().any(|value| {
                set.iter().any(|(low, high)| {
                    low.order(value).is_some_and(Ordering::is_ge)
                        && high.order(value).is_some_and(Ordering::is_le)
                })
            }),
            Self::Contains(operand, needle) => {
                operand.values(seen).iter().any(|value| memmem::find(&value.bytes(), needle).is_some())
            }
            Self::Matches(operand, regex) => {
                operand.values(seen).iter().any(|value| regex.is_match(&value.bytes()))
            }
        }
    }
}

impl Operand {
    fn values<'a>(&self, seen: &Seen<'a>) -> Vec<Value<'a>> {
        let values = self.field.read(seen).into_iter().map(|occurrence| occurrence.value);
        match &self.part {
            Part::Whole => values.collect(),
            Part::Count => vec![Value::Number(count(values.count()))],
            Part::Length => values.map(|value| Value::Number(count(value.bytes().len()))).collect(),
            Part::Lower => values.map(|value| Value::Text(text(&value).to_lowercase().into())).collect(),
            Part::Upper => values.map(|value| Value::Text(text(&value).to_uppercase().into())).collect(),
            Part::Slices(slices) => values
                .filter_map(|value| {
                    let bytes = value.bytes();
                    let part = |slice: &super::Slice| bytes.get(slice.range(bytes.len())?);
                    let parts: Option<Vec<&[u8]>> = slices.iter().map(part).collect();
                    Some(Value::Bytes(parts?.concat().into()))
                })
                .collect(),
        }
    }
}

fn text(value: &Value<'_>) -> String {
    String::from_utf8_lossy(&value.bytes()).into_owned()
}

impl Comparison {
    /// Whether it holds for values that compare like this. Without a value nothing holds.
    fn holds(self, orders: Vec<Option<Ordering>>) -> bool {
        let any = |is: fn(Ordering) -> bool| orders.iter().any(|order| order.is_some_and(is));
        let every =
            |is: fn(Ordering) -> bool| !orders.is_empty() && orders.iter().all(|order| order.is_some_and(is));
        match self {
            Self::AnyEqual => any(Ordering::is_eq),
            Self::EveryUnequal => every(Ordering::is_ne),
            Self::EveryEqual => every(Ordering::is_eq),
            Self::AnyUnequal => any(Ordering::is_ne),
            Self::Less => any(Ordering::is_lt),
            Self::LessOrEqual => any(Ordering::is_le),
            Self::Greater => any(Ordering::is_gt),
            Self::GreaterOrEqual => any(Ordering::is_ge),
        }
    }
}
