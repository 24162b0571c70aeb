//! The options that list packets instead of the report: tshark's, and some of our own.

use clap::{Args, ValueEnum};

use super::Format;
use crate::show::field::{self, Field};
use crate::show::filter::Filter;
use crate::show::find::Find;
use crate::show::fold::Fold;
use crate::show::follow::Follow;
use crate::show::ladder::Ladder;
use crate::show::listing::{Csv, Details, Fields, Json, Layout, Listing, Table};
use crate::show::printer::Request;
use crate::show::time::TimeFormat;
use crate::show::timeline::Timeline;
use crate::show::{STATISTICS, statistic};

/// Fields that are listed at most.
const FIELDS_MAX: usize = 1_000;

/// Lists packets instead of the report, as tshark does. The verdict stands in one line on standard error, and
/// the exit code is the verdict's.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Reading packets")]
pub(super) struct Reading {
    /// Lists only packets that pass this filter, such as 'sealgram.type == INIT' or 'udp.port in {53 5555}'.
    #[arg(short = 'Y', long = "filter", value_name = "FILTER")]
    filter: Option<String>,

    /// A field to print with -T fields, csv, json or ndjson; can be given more than once.
    #[arg(short = 'e', long = "field", value_name = "FIELD")]
    fields: Vec<String>,

    /// How -T fields prints: header=y|n, separator=/t|/s|C, aggregator=C, occurrence=f|l|a, quote=d|s|n.
    #[arg(short = 'E', long = "layout", value_name = "NAME=VALUE")]
    layout: Vec<String>,

    /// Reads so many packets at most.
    #[arg(short = 'c', long = "count", value_name = "PACKETS")]
    count: Option<u64>,

    /// Times: r since the first packet, a of the day, ad with the date, e since 1970, d since the packet
    /// before, dd since the packet listed before; all in UTC.
    #[arg(short = 't', long = "time", value_enum, value_name = "FORMAT")]
    time: Option<TimeFormat>,

    /// Prints every field of every packet with its value, bytes, class and meaning.
    #[arg(short = 'V', long = "fields")]
    details: bool,

    /// The same for these protocols only, such as udp,sealgram.
    #[arg(short = 'O', long = "only", value_name = "PROTOCOLS", value_delimiter = ',')]
    only: Vec<String>,

    /// Prints the bytes of every packet, coloured by what they count as.
    #[arg(short = 'x', long = "bytes")]
    bytes: bool,

    /// Prints a statistic of all packets; `-z help` lists them. Can be given more than once.
    #[arg(short = 'z', long = "statistic", value_name = "STATISTIC")]
    statistics: Vec<String>,

    /// Prints what is said in one conversation: udp, tcp or sealgram, its number from 0, and ascii, hex or raw.
    #[arg(long, value_name = "TYPE,NUMBER[,STYLE]", conflicts_with_all = ["find", "timeline"])]
    follow: Option<String>,

    /// Prints where text:TEXT, hex:BYTES or regex:PATTERN occurs in the packets.
    #[arg(long, value_name = "WHAT", conflicts_with = "timeline")]
    find: Option<String>,

    /// Draws each session as a ladder between client and hub.
    #[arg(long)]
    ladder: bool,

    /// Prints what client and hub do, line by line; with a key log also what is said.
    #[arg(long)]
    timeline: bool,

    /// Prints a glossary, such as `-G fields`, and ends.
    #[arg(short = 'G', long = "glossary", value_enum, value_name = "GLOSSARY")]
    glossary: Option<Glossary>,
}

/// What can be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Glossary {
    /// The named fields.
    Fields,
    /// The statistics.
    Statistics,
}

impl Reading {
    /// What is to be printed without reading a capture, if something is.
    pub(super) fn lookup(&self) -> Option<String> {
        match self.glossary {
            Some(Glossary::Fields) => Some(glossary()),
            Some(Glossary::Statistics) => Some(STATISTICS.to_owned()),
            None => self.statistics.iter().any(|name| name == "help").then(|| STATISTICS.to_owned()),
        }
    }

    /// Whether packets are to be listed instead of the report.
    pub(super) fn is_asked(&self, format: Format) -> bool {
        let lists = matches!(format, Format::Ndjson | Format::Csv | Format::Fields);
        let shows = self.details || self.bytes || !self.only.is_empty() || !self.fields.is_empty();
        let picks = self.filter.is_some() || self.count.is_some() || self.time.is_some();
        lists || shows || picks || self.is_special()
    }

    /// Whether something else than a list of packets is asked for.
    fn is_special(&self) -> bool {
        let instead = self.follow.is_some() || self.find.is_some() || self.timeline;
        instead || self.ladder || !self.statistics.is_empty()
    }

    /// What to print.
    pub(super) fn request(&self, format: Format, quiet: bool, colour: bool) -> anyhow::Result<Request> {
        let filter = self.filter.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(|error| anyhow::anyhow!("-Y: {error}"))?;
        Ok(Request {
            filter,
            packets_max: self.count,
            listing: self.listing(format, quiet, colour)?,
            folds: self.folds()?,
        })
    }

    fn listing(&self, format: Format, quiet: bool, colour: bool) -> anyhow::Result<Option<Box<dyn Listing>>> {
        let time = self.time.unwrap_or_default();
        if let Some(follow) = &self.follow {
            return Ok(Some(Box::new(Follow::parse(follow).map_err(anyhow::Error::msg)?)));
        }
        if let Some(find) = &self.find {
            return Ok(Some(Box::new(Find::parse(find).map_err(anyhow::Error::msg)?)));
        }
        if self.timeline {
            return Ok(Some(Box::new(Timeline::new(time))));
        }
        let fields = self.fields()?;
        let layout = Layout::parse(&self.layout).map_err(anyhow::Error::msg)?;
        let is_list_asked = self.filter.is_some() || self.count.is_some() || self.details || self.bytes;
        Ok(match format {
            _ if quiet => None,
            Format::Fields => {
                anyhow::ensure!(!fields.is_empty(), "-T fields wants at least one -e FIELD");
                Some(Box::new(Fields { fields, layout }))
            }
            Format::Csv => Some(Box::new(Csv { fields, layout, time })),
            Format::Ndjson => Some(Box::new(Json::new(fields, true))),
            Format::Json => Some(Box::new(Json::new(fields, false))),
            Format::Text => {
                anyhow::ensure!(fields.is_empty(), "-e FIELD wants -T fields, csv, json or ndjson");
                // Statistics stand alone unless packets are asked for too.
                let is_alone = self.is_special() && !is_list_asked && self.only.is_empty();
                let table = Table { time, details: self.detail(), bytes: self.bytes, colour };
                (!is_alone).then(|| Box::new(table) as Box<dyn Listing>)
            }
        })
    }

    fn folds(&self) -> anyhow::Result<Vec<Box<dyn Fold>>> {
        let mut folds: Vec<Box<dyn Fold>> = Vec::new();
        for argument in &self.statistics {
            folds.push(statistic(argument).map_err(|error| anyhow::anyhow!("-z: {error}"))?);
        }
        if self.ladder {
            folds.push(Box::new(Ladder::new(self.time.unwrap_or_default())));
        }
        Ok(folds)
    }

    fn detail(&self) -> Details {
        match (self.details, self.only.is_empty()) {
            (_, false) => Details::Only(self.only.clone()),
            (true, true) => Details::All,
            (false, true) => Details::None,
        }
    }

    fn fields(&self) -> anyhow::Result<Vec<&'static Field>> {
        anyhow::ensure!(self.fields.len() <= FIELDS_MAX, "more than {FIELDS_MAX} fields");
        let find =
            |name: &String| field::find(name).ok_or_else(|| anyhow::anyhow!("-e: {}", field::unknown(name)));
        self.fields.iter().map(find).collect()
    }
}

/// Every field in a line: name, kind and meaning.
fn glossary() -> String {
    field::all().map(|field| format!("{}\t{:?}\t{}\n", field.name, field.kind, field.meaning)).collect()
}
