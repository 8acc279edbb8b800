<?php
/**
 * What Löfte published for this site: guard, banner, declarations. Fetched, checked, kept five minutes.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

/** One edition's kit. Without one nothing third-party is let in: see `denied()`. */
final class Kit {
	const OPTION    = 'lofte_settings';
	const TRANSIENT = 'lofte_kit';
	const FAILED    = 'lofte_kit_failed';
	const FORMAT    = 'lofte-gate/1';
	const KEPT_S    = 300;
	const RETRY_S   = 30;

	/** @var array<string, mixed> */
	private $said;
	/** @var bool */
	public $is_denied;

	/** @param array<string, mixed> $said What Löfte answered. */
	private function __construct( array $said, bool $is_denied ) {
		$this->said      = $said;
		$this->is_denied = $is_denied;
	}

	/** @return array<string, string> */
	public static function settings(): array {
		$kept = get_option( self::OPTION, array() );
		return array_merge(
			array( 'url' => '', 'market' => 'se', 'locale' => 'sv', 'key' => '', 'forms' => '' ),
			is_array( $kept ) ? array_map( 'strval', $kept ) : array()
		);
	}

	public static function base(): string {
		return untrailingslashit( self::settings()['url'] );
	}

	/** The kit in force; where Löfte cannot be asked, the one that opens nothing. */
	public static function current(): self {
		static $current = null;
		if ( null === $current ) {
			$kept    = get_transient( self::TRANSIENT );
			$said    = is_array( $kept ) ? $kept : ( get_transient( self::FAILED ) ? null : self::fetch() );
			$current = null === $said ? self::denied() : new self( $said, false );
		}
		return $current;
	}

	/** Ask Löfte now. Null, and the reason kept for wp-admin, when it does not answer as it should. */
	public static function fetch(): ?array {
		$settings = self::settings();
		$reason   = '';
		$said     = null;
		if ( '' === $settings['url'] ) {
			$reason = __( 'The address of Löfte is not set.', 'lofte' );
		} else {
			$query  = array( 'market' => $settings['market'], 'locale' => $settings['locale'] );
			$answer = self::ask( 'GET', '/lofte/gate.json?' . http_build_query( $query ) );
			if ( is_wp_error( $answer ) ) {
				$reason = __( 'Löfte does not answer.', 'lofte' ) . ' (' . $answer->get_error_code() . ')';
			} elseif ( 200 !== wp_remote_retrieve_response_code( $answer ) ) {
				/* translators: %d: a status code of HTTP. */
				$reason = sprintf( __( 'Löfte answered with status %d.', 'lofte' ), wp_remote_retrieve_response_code( $answer ) );
			} else {
				$said = json_decode( wp_remote_retrieve_body( $answer ), true );
				if ( ! is_array( $said ) || self::FORMAT !== ( $said['format'] ?? '' ) ) {
					$said   = null;
					$reason = __( 'Löfte answered with something this plugin does not understand.', 'lofte' );
				}
			}
		}
		if ( null === $said ) {
			delete_transient( self::TRANSIENT );
			set_transient( self::FAILED, $reason, self::RETRY_S );
			return null;
		}
		set_transient( self::TRANSIENT, $said, self::KEPT_S );
		delete_transient( self::FAILED );
		return $said;
	}

	public static function forget(): void {
		delete_transient( self::TRANSIENT );
		delete_transient( self::FAILED );
	}

	/**
	 * A request to Löfte, server to server.
	 *
	 * @param array<string, mixed> $with Headers and body.
	 * @return array<string, mixed>|\WP_Error
	 */
	public static function ask( string $method, string $path, array $with = array() ) {
		return wp_remote_request(
			self::base() . $path,
			array_merge( array( 'method' => $method, 'timeout' => 5, 'redirection' => 0 ), $with )
		);
	}

	private static function denied(): self {
		return new self( array( 'digest' => '', 'head' => '', 'banner' => '', 'settings_word' => '', 'preferences' => '', 'hosts' => array(), 'models' => array(), 'cookies' => array(), 'frames' => array(), 'unknown' => '', 'dressing' => '', 'csp' => self::closed() ), true );
	}

	private static function closed(): string {
		return "default-src 'self'; script-src 'self' 'LOFTESCRIPTS'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; base-uri 'self'; frame-ancestors 'self'";
	}

	public function word( string $key ): string {
		return (string) ( $this->said[ $key ] ?? '' );
	}

	/** @return array<mixed> */
	public function many( string $key ): array {
		return (array) ( $this->said[ $key ] ?? array() );
	}

	/**
	 * The purposes a host is declared for; none: nobody declared it.
	 *
	 * @return string[]
	 */
	public function purposes_of( string $host ): array {
		$found = array();
		foreach ( $this->many( 'hosts' ) as $pair ) {
			list( $pattern, $purpose ) = $pair;
			if ( Gate::names( $pattern, $host ) && ! in_array( $purpose, $found, true ) ) {
				$found[] = $purpose;
			}
		}
		return $found;
	}

	/** Everybody has these, whatever they chose. */
	public function is_necessary( string $purpose ): bool {
		return 'necessary' === ( $this->many( 'models' )[ $purpose ] ?? '' );
	}

	/** Whether this visitor allows a purpose. */
	public function allows( string $purpose ): bool {
		$models = $this->many( 'models' );
		$model  = $models[ $purpose ] ?? '';
		if ( 'necessary' === $model || '' === $model ) {
			return 'necessary' === $model;
		}
		// Readable for page scripts, and no more than a visitor's own statement: nothing is gained by forging it.
		$shown = isset( $_COOKIE['lofte_on'] ) ? sanitize_text_field( wp_unslash( $_COOKIE['lofte_on'] ) ) : '';
		$parts = explode( '.', $shown );
		if ( count( $parts ) >= 2 && '' !== $parts[0] && substr( $this->word( 'digest' ), 0, 16 ) === $parts[0] ) {
			return in_array( $purpose, explode( '~', $parts[1] ), true );
		}
		$gpc = '1' === ( isset( $_SERVER['HTTP_SEC_GPC'] ) ? $_SERVER['HTTP_SEC_GPC'] : '' );
		return 'exempt_with_objection' === $model ? true : ( 'opt_out' === $model && ! $gpc );
	}

	public function cookie_purpose( string $name ): ?string {
		foreach ( $this->many( 'cookies' ) as $pair ) {
			$pattern = '/^' . str_replace( '\\*', '.*', preg_quote( $pair[0], '/' ) ) . '$/D';
			if ( preg_match( $pattern, $name ) ) {
				return $pair[1];
			}
		}
		return null;
	}
}
