//! Reads DER, the form of certificates, value by value. It takes bytes of anybody: what does not fit is `None`, never a panic.

/// Tags that occur in what is read of a certificate.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 0x01;
    pub(crate) const OCTETS: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const UTF8: u8 = 0x0c;
    pub(crate) const PRINTABLE: u8 = 0x13;
    pub(crate) const IA5: u8 = 0x16;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;
    /// Version of a certificate.
    pub(crate) const VERSION: u8 = 0xa0;
    /// Extensions of a certificate.
    pub(crate) const EXTENSIONS: u8 = 0xa3;
    /// A DNS name among alternative names.
    pub(crate) const DNS: u8 = 0x82;
    /// A URI among alternative names.
    pub(crate) const URI: u8 = 0x86;
    /// An IP address among alternative names.
    pub(crate) const IP: u8 = 0x87;
}

/// Values that follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next value: its tag and its content.
    pub(crate) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // Longer than 16 MiB is no certificate.
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
            }
            0x80 | 0x84..=0xff => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The content of the next value, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }

    /// The content of the next value, if it has this tag; else the value stays.
    pub(crate) fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        let before = *self;
        let content = self.expect(tag);
        if content.is_none() {
            *self = before;
        }
        content
    }
}

/// Seconds since 1970 of a time as certificates have it, in UTC.
pub(crate) fn seconds(tag: u8, text: &[u8]) -> Option<i64> {
    let (year, rest) = match tag {
        tag::UTC_TIME => {
            let (digits, rest) = text.split_at_checked(2)?;
            let year = number(digits)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        tag::GENERALIZED_TIME => {
            let (digits, rest) = text.split_at_checked(4)?;
            (number(digits)?, rest)
        }
        _ => return None,
    };
    let digits = rest.strip_suffix(b"Z").filter(|digits| digits.len() == 10)?;
    let mut pairs = digits.chunks(2).map(number);
    let mut part = |low, high| pairs.next()?.filter(|it| (low..=high).contains(it));
    let (month, day) = (part(1, 12)?, part(1, 31)?);
    let (hour, minute, second) = (part(0, 23)?, part(0, 59)?, part(0, 60)?);
    Some(days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

/// Days from 1970-01-01, by the calendar of today. A year begins in March here, so that the day that some years lack is its last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let of_years = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between 0000-03-01 and 1970-01-01.
    of_years + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// The date of a time in seconds since 1970, in UTC: `2027-01-31`.
#[must_use]
pub fn date(seconds: i64) -> String {
    let since = seconds.div_euclid(86_400) + 719_468;
    let era = since.div_euclid(146_097);
    let day_of_era = since.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = (month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month < 3);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_certificates_are_seconds_since_1970() {
        for (tag, text, expected) in [
            (tag::UTC_TIME, "700101000000Z", Some(0)),
            (tag::UTC_TIME, "240229235959Z", Some(1_709_251_199)),
            (tag::UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (tag::GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000)),
            (tag::GENERALIZED_TIME, "40960101000000Z", Some(67_090_118_400)),
            (tag::UTC_TIME, "240001000000Z", None),
            (tag::UTC_TIME, "240101000000", None),
            (tag::UTC_TIME, "2401010000Z", None),
            (tag::UTC_TIME, "24010100000xZ", None),
            (tag::UTF8, "240101000000Z", None),
        ] {
            assert_eq!(seconds(tag, text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_date_is_that_of_its_time(day in -100_000_i64..1_000_000, second in 0_i64..86_400) {
            let text = date(day * 86_400 + second);
            let parts: Vec<i64> = text.split('-').map(|part| part.parse().unwrap()).collect();
            prop_assert_eq!(days(parts[0], parts[1], parts[2]), day, "{}", text);
        }

        #[test]
        fn no_bytes_panic_and_every_value_lies_within_them(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut reader = Reader::new(&bytes);
            let mut sum = 0;
            while let Some((tag, content)) = reader.next() {
                sum += 2 + content.len();
                let _time = seconds(tag, content);
            }
            prop_assert!(sum <= bytes.len());
        }
    }
}
