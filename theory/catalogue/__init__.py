"""Published results about self-consuming loops, each held against what the engine derives."""

from theory.catalogue.comparison import same as same
from theory.catalogue.specimen import Specimen as Specimen
from theory.catalogue.specimen import table as table
from theory.catalogue.topics import SPECIMENS as SPECIMENS
from theory.catalogue.topics import TOPICS as TOPICS
