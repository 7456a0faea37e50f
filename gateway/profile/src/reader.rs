//! Tables and values of a text, read key by key: each refusal knows its place, and a key that nobody asked for is one.

use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Problems;

/// What stands in a blank profile where a person must write a value.
const NOT_FILLED_IN: &str = "?";

/// A table that is being read.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    /// Its key, such as `limit`; empty for the whole text.
    path: String,
    /// Where it begins, in bytes.
    at: usize,
    entries: &'a DeTable<'a>,
    /// Every key that was asked for.
    asked: Vec<&'static str>,
}

/// A value with its key and place.
#[derive(Debug, Clone)]
pub(crate) struct Value<'a> {
    /// Its key, such as `limit.delay_s`.
    pub(crate) key: String,
    /// Where it begins, in bytes.
    pub(crate) at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Table<'a> {
    /// The whole text.
    pub(crate) fn root(root: &'a Spanned<DeTable<'a>>) -> Self {
        Self { path: String::new(), at: 0, entries: root.get_ref(), asked: Vec::new() }
    }

    /// Where it begins, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The full key of one of its keys.
    pub(crate) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A value that may be left out.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<Value<'a>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let (key, value) = self.entries.get_key_value(key)?;
        let at = match value.get_ref() {
            // A section begins with its header, a dotted key with itself.
            DeValue::Table(_) => value.span().start.min(key.span().start),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => value.span().start,
        };
        Some(Value { key: self.key(key.get_ref()), at, value: value.get_ref() })
    }

    /// A value that must be there.
    pub(crate) fn required(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Value<'a>> {
        let found = self.optional(key);
        if found.is_none() {
            problems.add(self.at, self.key(key), "is missing", format!("add {key}"));
        }
        found
    }

    /// Refuses every key that was not asked for.
    pub(crate) fn close(self, problems: &mut Problems) {
        for (key, _value) in self.entries {
            let name = key.get_ref().as_ref();
            if !self.asked.contains(&name) {
                problems.add(
                    key.span().start,
                    self.key(name),
                    "is not known",
                    format!("correct or remove it; possible here: {}", self.asked.join(", ")),
                );
            }
        }
    }
}

impl<'a> Value<'a> {
    /// Notes that the value is wrong.
    pub(crate) fn refuse(
        &self,
        problems: &mut Problems,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) {
        problems.add(self.at, self.key.clone(), what, todo);
    }

    fn refuse_kind(&self, problems: &mut Problems, wanted: &str) {
        if self.value.as_str() == Some(NOT_FILLED_IN) {
            self.refuse(problems, "is not filled in", format!("write {wanted}"));
        } else {
            let found = self.value.type_str();
            self.refuse(problems, format!("is of the kind {found}"), format!("write {wanted}"));
        }
    }

    /// A decimal number that an `f64` holds; `wanted` says what belongs there.
    fn decimal(&self, wanted: &str, problems: &mut Problems) -> Option<f64> {
        let parsed = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            DeValue::Integer(_) => None,
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                self.refuse_kind(problems, wanted);
                return None;
            }
        };
        let number = parsed.filter(|number: &f64| number.is_finite());
        if number.is_none() {
            self.refuse(problems, "is no decimal number", format!("write {wanted}"));
        }
        number
    }

    /// A number that an `f32` holds; `wanted` says what belongs there.
    pub(crate) fn number(&self, wanted: &str, problems: &mut Problems) -> Option<f32> {
        let decimal = self.decimal(wanted, problems)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what f32 cannot hold is refused below"
        )]
        let number = decimal as f32;
        if !number.is_finite() {
            self.refuse(problems, "is beyond every measurement", format!("write {wanted}"));
            return None;
        }
        Some(number)
    }

    /// A number between two others, both included.
    pub(crate) fn number_within(
        &self,
        least: f32,
        most: f32,
        problems: &mut Problems,
    ) -> Option<f32> {
        let wanted = format!("a number from {least} to {most}");
        let number = self.number(&wanted, problems)?;
        if number < least || number > most {
            self.refuse(problems, format!("{number} is not possible"), format!("write {wanted}"));
            return None;
        }
        Some(number)
    }

    /// A time in a unit of so many seconds, between two others, both included.
    pub(crate) fn duration(
        &self,
        (unit, unit_s): (&str, f64),
        (least, most): (Duration, Duration),
        problems: &mut Problems,
    ) -> Option<Duration> {
        let [low, high] = [least, most].map(|bound| bound.as_secs_f64() / unit_s);
        let wanted = format!("a time from {low} to {high} {unit}");
        let number = self.decimal(&wanted, problems)?;
        let duration = Duration::try_from_secs_f64(number * unit_s).ok();
        let possible = duration.filter(|duration| (least..=most).contains(duration));
        if possible.is_none() {
            self.refuse(
                problems,
                format!("{number} {unit} is not possible"),
                format!("write {wanted}"),
            );
        }
        possible
    }

    /// A time in seconds.
    pub(crate) fn seconds(
        &self,
        least: Duration,
        most: Duration,
        problems: &mut Problems,
    ) -> Option<Duration> {
        self.duration(("s", 1.0), (least, most), problems)
    }

    /// A time in minutes.
    pub(crate) fn minutes(
        &self,
        least: Duration,
        most: Duration,
        problems: &mut Problems,
    ) -> Option<Duration> {
        self.duration(("min", 60.0), (least, most), problems)
    }

    /// A whole number from 1.
    pub(crate) fn whole(&self, most: u32, problems: &mut Problems) -> Option<u32> {
        let wanted = format!("a whole number from 1 to {most}");
        let number = match self.value {
            DeValue::Integer(integer) if integer.radix() == 10 => {
                integer.as_str().parse().ok().filter(|number| (1..=most).contains(number))
            }
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                self.refuse_kind(problems, &wanted);
                return None;
            }
        };
        if number.is_none() {
            self.refuse(problems, "is not possible", format!("write {wanted}"));
        }
        number
    }

    /// Yes or no.
    pub(crate) fn flag(&self, problems: &mut Problems) -> Option<bool> {
        let flag = self.value.as_bool();
        if flag.is_none() {
            self.refuse_kind(problems, "true or false");
        }
        flag
    }

    /// A text that says something.
    pub(crate) fn text(&self, wanted: &str, problems: &mut Problems) -> Option<&'a str> {
        match self.value.as_str() {
            Some(text) if text != NOT_FILLED_IN && !text.trim().is_empty() => Some(text),
            Some(text) if text != NOT_FILLED_IN => {
                self.refuse(problems, "is empty", format!("write {wanted}"));
                None
            }
            Some(_) | None => {
                self.refuse_kind(problems, wanted);
                None
            }
        }
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&'a str> {
        self.value.as_str()
    }

    /// A word that `known` understands, out of those `listed`.
    pub(crate) fn word<T>(
        &self,
        what: &str,
        known: impl Fn(&str) -> Option<T>,
        listed: impl FnOnce() -> Vec<String>,
        problems: &mut Problems,
    ) -> Option<T> {
        let text = self.text(&format!("a {what} in quotes"), problems)?;
        let found = known(text);
        if found.is_none() {
            self.refuse(
                problems,
                format!("there is no {what} {text:?}"),
                format!("use one of {}", listed().join(", ")),
            );
        }
        found
    }

    /// The elements of a list.
    pub(crate) fn list(&self, wanted: &str, problems: &mut Problems) -> Option<Vec<Self>> {
        let Some(list) = self.value.as_array() else {
            self.refuse_kind(problems, &format!("a list of {wanted}"));
            return None;
        };
        let element = |element: &'a Spanned<DeValue<'a>>| Self {
            key: self.key.clone(),
            at: element.span().start,
            value: element.get_ref(),
        };
        Some(list.iter().map(element).collect())
    }

    /// The elements of a list that must not be empty.
    pub(crate) fn filled_list(&self, wanted: &str, problems: &mut Problems) -> Option<Vec<Self>> {
        let list = self.list(wanted, problems)?;
        if list.is_empty() {
            self.refuse(problems, "is empty", format!("name {wanted}"));
            return None;
        }
        Some(list)
    }

    /// A table.
    pub(crate) fn table(&self, problems: &mut Problems) -> Option<Table<'a>> {
        let Some(entries) = self.value.as_table() else {
            self.refuse_kind(problems, "a table");
            return None;
        };
        Some(Table { path: self.key.clone(), at: self.at, entries, asked: Vec::new() })
    }
}
