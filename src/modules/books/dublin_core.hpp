// A book in the fifteen elements of Dublin Core, as OAI-PMH and SRU carry it. Pure.
#pragma once
#include "core/xml/writer.hpp"
#include "modules/books/model.hpp"

namespace lumina::books {

// <oai_dc:dc> with its namespaces.
void write_oai_dc(const Book& book, xml::Writer& w);
// <srw_dc:dc> with its namespaces.
void write_srw_dc(const Book& book, xml::Writer& w);

}  // namespace lumina::books
