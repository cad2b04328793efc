"""The country names of Last.fm-1K's profile and their continents. A table of public geography, nothing else.

Transcontinental countries follow the United Nations' M49 regions (Turkey and Armenia in Asia, the Russian Federation in
Europe); the Americas part at the border of Panama and Colombia, the Caribbean in the North. The United Kingdom is a
region of its own (method, section 2).
"""

from collections.abc import Mapping

EUROPE = "Europe"
NORTH_AMERICA = "North America"
SOUTH_AMERICA = "South America"
UNITED_KINGDOM = "United Kingdom"

REGIONS = (EUROPE, NORTH_AMERICA, SOUTH_AMERICA, UNITED_KINGDOM)

COUNTRIES: Mapping[str, tuple[str, ...]] = {
    EUROPE: (
        "Austria",
        "Belarus",
        "Belgium",
        "Bosnia and Herzegovina",
        "Bulgaria",
        "Croatia",
        "Czech Republic",
        "Estonia",
        "Finland",
        "France",
        "Germany",
        "Greece",
        "Hungary",
        "Iceland",
        "Ireland",
        "Italy",
        "Latvia",
        "Lithuania",
        "Macedonia",
        "Malta",
        "Netherlands",
        "Norway",
        "Poland",
        "Portugal",
        "Romania",
        "Russian Federation",
        "Serbia",
        "Slovakia",
        "Slovenia",
        "Spain",
        "Sweden",
        "Switzerland",
    ),
    NORTH_AMERICA: (
        "Canada",
        "Mexico",
        "Netherlands Antilles",
        "Nicaragua",
        "Trinidad and Tobago",
        "United States",
    ),
    SOUTH_AMERICA: ("Argentina", "Brazil", "Chile", "Colombia", "Peru", "Venezuela"),
    UNITED_KINGDOM: ("United Kingdom",),
    "Asia": (
        "Armenia",
        "China",
        "India",
        "Israel",
        "Japan",
        "Korea, Democratic People's Republic of",
        "Singapore",
        "Thailand",
        "Turkey",
    ),
    "Africa": (
        "Algeria",
        "British Indian Ocean Territory",
        "Congo, the Democratic Republic of the",
        "Cote D'Ivoire",
        "Morocco",
        "Tunisia",
        "Zimbabwe",
    ),
    "Oceania": ("Australia", "New Zealand", "Northern Mariana Islands", "United States Minor Outlying Islands"),
    "Antarctica": ("Antarctica",),
}

CONTINENT: Mapping[str, str] = {country: continent for continent, names in COUNTRIES.items() for country in names}
