// SPDX-License-Identifier: BSD-3-Clause
#include <lamellar/substrate/world.hpp>

namespace lamellar {

world::world(std::unique_ptr<lamellae::lamella> transport, const lamellae::settings& s)
    : engine_{std::make_unique<detail::engine>(std::move(transport), s, this)} {
  engine_->open();
}

world::~world() = default;

pe world::at(std::uint32_t index, std::source_location where) const {
  detail::checked(*engine_, {pe{index}, where});
  return pe{index};
}

std::string_view world::lamella() const { return engine_->transport().name(); }

const lamellae::capabilities& world::able() const { return engine_->transport().able(); }

on_node::execution world::on_node() const {
  const bool alone = engine_->transport().able().pes_in_process == 1;
  return alone && engine_->threads() > 1 && engine_->on_main_thread() &&
                 !engine_->here().in_handler()
             ? on_node::execution::threaded(engine_->threads())
             : on_node::execution{};
}

pe context::me() const { return pe{at_->me()}; }

std::uint32_t context::size() const { return at_->size(); }

world& context::world() const { return at_->facade(); }

}  // namespace lamellar
